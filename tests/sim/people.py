"""What the state machine acts on: two orgs of people, faults at a chosen call, what must hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from engine.compiled import Compiled
from engine.ledger import schema
from engine.model import SIDES, Outcome, RecordId, Result, Side, Value, Write
from engine.ports import Unreachable
from engine.stores.local import Refused
from tests.engine.rules import program_of
from tests.engine.world import O, S, World
from tests.sim.book import plain

__all__ = ["TYPES", "UNMAPPED", "Fault", "People"]

RULES = """
sync Account <-> account {
    match Name = name
    polling
    inbound create
    inbound update
    fields { Name <-> name prevent empty  Site -> custom3  Description <-> custom1 }
}
sync Contact <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    pushing
    outbound update
    conflict prefer newest
    fields {
        Department     <-> occupation
        Email          <-> emails prevent empty
        LastName       <-> lastName prevent empty
        Title          <-> title
        Description     -> custom1
        AssistantName  <-  custom2
    }
}
sync Lead <-> prospect {
    match Email = emails
    polling when IsConverted = false
    inbound create
    inbound update
    pushing
    outbound create when custom9 = "lead"
    outbound update
    conflict prefer outreach
    fields {
        Company     <-> company prevent empty
        Email       <-> emails prevent empty
        LastName    <-> lastName prevent empty
        Title       <-> title
        City        <-> addressCity
        Description  -> custom3
        Website     <-  custom4
    }
}
"""


class Pair(NamedTuple):
    """A sync by hand: its fields as `Left arrow right`, a marker that no user edits, its key."""

    left: str
    right: str
    lines: tuple[tuple[str, str, str], ...]
    marker: tuple[str, str]
    key: tuple[str, str]
    flows: frozenset[Side]
    creates: frozenset[Side]

    @property
    def name(self) -> str:
        return f"{self.left}<->{self.right}"

    def type_of(self, side: Side) -> str:
        return self.left if side is S else self.right


def _lines(text: str) -> tuple[tuple[str, str, str], ...]:
    words = text.split()
    return tuple(zip(words[::3], words[1::3], words[2::3], strict=True))


BOTH, IN = frozenset((S, O)), frozenset((S,))
PAIRS = (
    Pair(
        "Account",
        "account",
        _lines("Name <-> name Description <-> custom1"),
        ("Site", "custom3"),
        ("Name", "name"),
        IN,
        IN,
    ),
    Pair(
        "Contact",
        "prospect",
        _lines(
            "LastName <-> lastName Title <-> title Description -> custom1 AssistantName <- custom2"
        ),
        ("Department", "occupation"),
        ("Email", "emails"),
        BOTH,
        IN,
    ),
    Pair(
        "Lead",
        "prospect",
        _lines(
            "LastName <-> lastName Title <-> title City <-> addressCity"
            " Description -> custom3 Website <- custom4"
        ),
        ("Company", "company"),
        ("Email", "emails"),
        BOTH,
        BOTH,
    ),
)
TYPES = ("Account", "account", "Contact", "Lead", "prospect")
UNMAPPED = {"Account": "Phone", "account": "custom7", "prospect": "custom7"} | dict.fromkeys(
    ("Contact", "Lead"), "MobilePhone"
)
#: A blank does not go over: `prevent empty`.
KEPT = ("Name", "LastName")
_HELD = ("refused", "review")
_WRITING = ("created", "updated", "linked", "unlinked", "deleted", "failed", "conflicts")
Spot = tuple[str, RecordId]


def side_of(type_name: str) -> Side:
    return S if type_name[0].isupper() else O


def pairs_of(type_name: str) -> list[Pair]:
    return [p for p in PAIRS if type_name in (p.left, p.right)]


class Killed(BaseException):
    """The process is gone: nothing in it runs any further."""


@dataclass
class Fault:
    """What ends a cycle at its `left`th call or commit, before or after that has done its work.

    A call that gets no answer leaves the process running; one at which it dies does not.
    """

    left: int
    after: bool
    dies: bool
    dead: bool = False

    def around(self, work: Any, *, commits: bool = False) -> Any:
        if self.dead:
            raise Killed
        self.left -= 1
        if self.left:
            return work()
        if self.after:
            work()
        if self.dies or commits:
            self.dead = True
            raise Killed
        raise Unreachable("no answer")


class Watched:
    """A real store, or ledger, whose calls a fault may end and whose writes the book keeps."""

    def __init__(self, real: Any, fault: Fault, people: People) -> None:
        self._real = real
        self._fault = fault
        self._people = people

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name in ("now", "fetch", "find", "fates"):
            return lambda *args: self._fault.around(lambda: found(*args))
        if name in ("begin", "intend", "commit", "finish"):
            return lambda *args: self._fault.around(lambda: found(*args), commits=True)
        return found

    def scan(self, *args: Any) -> Iterator[Any]:
        return iter(self._fault.around(lambda: list(self._real.scan(*args))))

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        def work() -> list[Result]:
            results: list[Result] = self._real.write(type_name, writes)
            for write, result in zip(writes, results, strict=True):
                self._people.engine_wrote(type_name, write, result)
            return results

        return self._fault.around(work)  # type: ignore[no-any-return]


class People:
    """A world in which everything that users and the engine wrote is known."""

    def __init__(self) -> None:
        self.at = World(_COMPILED.program, compiled=_COMPILED)
        self.given = 0
        self.edits: dict[tuple[Spot, str], Value] = {}
        self.reached: dict[Side, set[Value]] = {side: set() for side in SIDES}
        self.made: dict[Spot, Value] = {}
        self.by_user: set[Spot] = set()
        self.heirs: dict[RecordId, RecordId] = {}
        self.wrongs: list[str] = []
        self.attempts = 0

    # -- users ----------------------------------------------------------------------------------

    def new(self) -> str:
        """A value unlike all others, so that it can be told where it went."""
        self.given += 1
        return f"v{self.given}"

    def pick(self, type_name: str, number: int) -> RecordId | None:
        """A record that a user may touch: not one that the engine made and does not know yet."""
        side = side_of(type_name)
        there = list(self.at.all(side, type_name))
        known = {i for p in pairs_of(type_name) for i in self.at.ledger.others(p.name, side, there)}
        mine = [i for i in there if i in known or (type_name, i) in self.by_user]
        return mine[number % len(mine)] if mine else None

    def create(self, type_name: str, key: str | None, kind: str | None) -> None:
        side = side_of(type_name)
        values: dict[str, Value] = {}
        for pair in pairs_of(type_name):
            at = 0 if side is S else 1
            values[pair.marker[at]] = self.new()
            values |= {line[0 if side is S else 2]: self.new() for line in pair.lines}
            if pair.key[0] == "Email":
                address = f"{key or self.new()}@x.co"
                values[pair.key[at]] = address if side is S else [address]
            elif key:
                values[pair.key[at]] = key
        if type_name == "prospect":
            values["custom9"] = kind
        self._write(type_name, Write(None, values))

    def edit(self, type_name: str, number: int, field: int, *, blank: bool) -> None:
        record, at = self.pick(type_name, number), 0 if side_of(type_name) is S else 2
        fields = sorted({line[at] for p in pairs_of(type_name) for line in p.lines})
        if record is not None:
            value = None if blank else self.new()
            self._write(type_name, Write(record, {fields[field % len(fields)]: value}))

    def edit_unmapped(self, type_name: str, number: int) -> None:
        record = self.pick(type_name, number)
        if record is not None:
            self._write(type_name, Write(record, {UNMAPPED[type_name]: self.new()}))

    def readdress(self, type_name: str, number: int, key: str | None) -> None:
        record, address = self.pick(type_name, number), f"{key or self.new()}@x.co"
        if record is not None:
            value = {"Email": address} if side_of(type_name) is S else {"emails": [address]}
            self._write(type_name, Write(record, value))

    def delete(self, type_name: str, number: int) -> None:
        record = self.pick(type_name, number)
        if record is not None:
            self._write(type_name, Write(record, delete=True))

    def undelete(self, type_name: str, number: int) -> None:
        org = self.at.orgs[side_of(type_name)]
        gone = org.file.rows("SELECT id FROM deleted WHERE type = ?", (type_name,))
        self.at.clock.pass_(minutes=1)
        with suppress(Refused):
            if gone:
                org.undelete(type_name, gone[number % len(gone)][0])

    def merge(self, type_name: str, master: int, loser: int) -> None:
        into, gone = self.pick(type_name, master), self.pick(type_name, loser)
        self.at.clock.pass_(minutes=1)
        with suppress(Refused):
            if into is not None and gone is not None:
                self.at.orgs[S].merge(type_name, into, gone)

    def convert(self, number: int, other: int | None) -> None:
        lead = self.pick("Lead", number)
        contact: Any = None if other is None else self.pick("Contact", other)
        self.at.clock.pass_(minutes=1)
        with suppress(Refused):
            if lead is not None:
                made = self.at.orgs[S].convert(lead, contact=contact)
                self.by_user |= {(name, i) for name, i in made.items() if i is not None}
                prospect = self.at.ledger.others("Lead<->prospect", S, [lead]).get(lead)
                if contact is None and prospect is not None and made["Contact"] is not None:
                    self.heirs[made["Contact"]] = prospect

    def _write(self, type_name: str, write: Write) -> None:
        self.at.clock.pass_(minutes=1)
        (result,) = self.at.orgs[side_of(type_name)].write(type_name, [write])
        if result.outcome is Outcome.DONE and result.id is not None:
            spot = (type_name, result.id)
            if write.id is None:
                self.by_user.add(spot)
            for name, value in write.values.items():
                self.edits[spot, name] = plain(value)

    # -- the engine -----------------------------------------------------------------------------

    def engine_wrote(self, type_name: str, write: Write, result: Result) -> None:
        """Keep a write, and tell if a toggle or an arrow forbids it."""
        side, pairs = side_of(type_name), pairs_of(type_name)
        at, arrows = (0, ("<->", "<-")) if side is S else (2, ("<->", "->"))
        allowed = {n for p in pairs for n in (p.key[at // 2], p.marker[at // 2])}
        allowed |= {line[at] for p in pairs for line in p.lines if line[1] in arrows}
        toggles = [p.creates if write.id is None else p.flows for p in pairs]
        self.attempts += 1
        if write.delete or not any(side.other in toggle for toggle in toggles):
            self.wrongs.append(f"a toggle forbids {write} in {type_name}")
        if strange := write.values.keys() - allowed:
            self.wrongs.append(f"no arrow leads to {sorted(strange)} of {type_name}: {write}")
        if result.outcome is not Outcome.DONE or result.id is None:
            return
        if write.id is None:
            marks = [write.values.get(p.marker[at // 2]) for p in pairs]
            self.made[type_name, result.id] = next((m for m in marks if m is not None), None)
        for value in write.values.values():
            self.reached[side].add(plain(value))

    def cycle(self, fault: Fault | None = None) -> bool:
        """One cycle on watched stores; whether it wrote or tried to."""
        fault, before = fault or Fault(0, after=False, dies=False), self.attempts
        at = self.at
        at.clock.pass_(minutes=1)
        stores: Any = {side: Watched(org, fault, self) for side, org in at.orgs.items()}
        ledger: Any = Watched(at.ledger, fault, self)
        with suppress(Killed, Unreachable):
            counts = at._cycle(stores, ledger).counts
            return self.attempts > before or any(counts[name] for name in _WRITING)
        return True

    # -- what must hold -------------------------------------------------------------------------

    def doubles(self) -> list[str]:
        """What was made twice."""
        counts = Counter((spot[0], m) for spot, m in self.made.items() if m is not None)
        return [f"{what} was made {n} times" for what, n in counts.items() if n > 1]

    def amiss(self) -> list[str]:
        """All that is not as it must be once cycles have gone on without a fault."""
        found = self.wrongs + self.doubles()
        for pair in PAIRS:
            found += _Truth(self, pair).amiss()
        if self.at.ledger.unanswered():
            found.append("a write is without an answer")
        return found


_COMPILED = Compiled(program_of(RULES), UTC)


class _Truth:
    """Both orgs as they are, and what the ledger tells, for one pair."""

    def __init__(self, people: People, pair: Pair) -> None:
        self.people, self.pair = people, pair
        self.rows = {side: self._read(side, pair.type_of(side)) for side in SIDES}
        self.links = self._ledger(schema.link)
        self.known: dict[Side, set[RecordId]] = {side: set() for side in SIDES}
        self.waits: dict[Side, set[RecordId]] = {side: set() for side in SIDES}
        for row in [*self.links, *self._ledger(schema.tombstone)]:
            for side in SIDES:
                self.known[side].add(row[f"{side}_id"])
        for row in self._ledger(schema.pending):
            side = Side(row["side"])
            if row["why"] in _HELD:
                self.waits[side].add(row["record_id"] if side is S else int(row["record_id"]))
        log = people.at.ledger.rows(
            sa.select(schema.log.c.message).where(schema.log.c.status == "conflict")
        )
        self.overruled = [row["message"] for row in log]
        for row in self._ledger(schema.change):
            if row["state"] == "unknown":
                fields = msgspec.json.decode(row["fields"])
                self.overruled += [repr(before) for _, before, _ in fields]

    def _ledger(self, table: sa.Table) -> list[dict[str, Any]]:
        query = sa.select(table).where(table.c.pair == self.pair.name)
        return list(self.people.at.ledger.rows(query))

    def _read(self, side: Side, type_name: str) -> dict[RecordId, dict[str, Value]]:
        at = 0 if side is S else 1
        names = [line[2 * at] for line in self.pair.lines] + [self.pair.marker[at]]
        names.append(UNMAPPED[type_name])
        names += ["IsConverted"] if type_name == "Lead" else []
        names += ["custom9"] if type_name == "prospect" else []
        found = self.people.at.all(side, type_name, *names)
        return {i: dict(zip(names, map(plain, row), strict=True)) for i, row in found.items()}

    def amiss(self) -> list[str]:
        found = [m for side in SIDES for m in (*self._alone(side), *self._strangers(side))]
        for link in self.links:
            found += self._pair({side: link[f"{side}_id"] for side in SIDES})
        return found

    def _alone(self, side: Side) -> list[str]:
        """Who may be created on the other side, and neither is nor waits to be."""
        if side not in self.pair.creates:
            return []
        asked = {
            i
            for i, row in self.rows[side].items()
            if not row.get("IsConverted") and row.get("custom9", "lead") == "lead"
        }
        if side is O:  # a prospect that is a contact's is no lead
            asked -= _Truth(self.people, PAIRS[1]).known[O]
        lost = asked - self.known[side] - self.waits[side]
        return [f"{side} {i} of {self.pair.name} has no counterpart nor waits" for i in lost]

    def _strangers(self, side: Side) -> list[str]:
        """Who was made and is not known, and what no rule maps and is not as a user left it."""
        type_name, people = self.pair.type_of(side), self.people
        known = set(self.known[side])
        for pair in pairs_of(type_name):
            known |= known if pair is self.pair else _Truth(people, pair).known[side]
        found = [
            f"{spot} was made and forgotten"
            for spot in people.made
            if spot[0] == type_name and spot[1] in self.rows[side].keys() - known
        ]
        name = UNMAPPED[type_name]
        for record, row in self.rows[side].items():
            value = people.edits.get(((type_name, record), name))
            if value is not None and row[name] != value:
                found.append(f"{name} of {type_name} {record} is {row[name]} instead of {value}")
        return found

    def _pair(self, ids: dict[Side, Any]) -> list[str]:
        if any(ids[side] in self.waits[side] for side in SIDES):
            return []
        rows = {side: self.rows[side].get(ids[side]) for side in SIDES}
        if gone := [side for side in SIDES if rows[side] is None]:
            return [f"{ids} are linked, and gone in {side}" for side in gone if self._seen(side)]
        found = []
        heir = self.people.heirs.get(ids[S])
        made = ("prospect", ids[O]) in self.people.made
        if made and heir not in (None, ids[O]) and heir in self.rows[O]:
            found.append(f"{ids[S]} was made a prospect, and its lead had {heir}")
        marker = (self.pair.marker[0], "<->", self.pair.marker[1])
        for left, arrow, right in (*self.pair.lines, marker):
            values: dict[Side, Value] = {S: rows[S][left], O: rows[O][right]}  # type: ignore[index]
            two_way = arrow == "<->" and self.pair.flows == BOTH
            kept = left in (*KEPT, "Company") and None in values.values()
            if two_way and values[S] != values[O] and not kept:
                found.append(f"{ids} disagree on {left}: {values}")
            for side, name in ((S, left), (O, right)):
                if arrow in ("<->", "->" if side is S else "<-") and side in self.pair.flows:
                    found += self._told(side, ids, name, left if side is O else right, values)
        return found

    def _seen(self, side: Side) -> bool:
        return side in self.pair.flows

    def _told(
        self, side: Side, ids: dict[Side, Any], name: str, there: str, values: dict[Side, Value]
    ) -> list[str]:
        """Whether a user's last edit came to the other side, or was overruled aloud."""
        people, types = self.people, {at: self.pair.type_of(at) for at in SIDES}
        value = people.edits.get(((types[side], ids[side]), name))
        back = people.edits.get(((types[side.other], ids[side.other]), there))
        silenced = side.other not in self.pair.flows and back is not None
        if (
            value is None
            or value in (values[side.other], *people.reached[side.other])
            or any(repr(value) in told for told in self.overruled)
            or silenced
        ):
            return []
        return [f"{value} of {types[side]} {ids[side]} {name} is lost: {values}"]
