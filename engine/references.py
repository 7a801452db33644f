"""What a batch's references and names stand for on the other side, looked up before deciding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dsl.pairs import types_of_pair
from dsl.program import Program
from dsl.schema import Side
from dsl.values import canonical_id, first, is_empty
from engine.ledger import Ledger
from engine.mapping import LineCode, Mapping
from engine.model import RecordId, Row, Value
from engine.ports import Store

__all__ = ["Known", "References", "Wait", "gather", "routes"]

#: What the id of a queue starts with; of a group that may own records there is no other kind.
_QUEUE = "00G"
_USER = "User"
_ACTIVE = {(Side.SALESFORCE, _USER): "active User"}


class Wait(NamedTuple):
    """A line of `side` that waits: until `id` is linked in one of `pairs`, or for a name."""

    line: int
    side: Side
    pairs: tuple[str, ...]
    id: RecordId
    message: str


@dataclass
class References:
    """Answers for one batch.

    `links` by (pair, side) from that side's id to the other's; `names` by (side, type) from a name
    to an id there; `routes` by line number, the pairs whose links may translate it; `active` says
    of Salesforce users whether they are, and so may own a record, as the lines in `owning` have it.
    """

    routes: dict[int, tuple[str, ...]]
    links: dict[tuple[str, Side], dict[RecordId, RecordId]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    names: dict[tuple[Side, str], dict[str, RecordId]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    active: dict[RecordId, bool] = field(default_factory=dict)
    owning: frozenset[int] = frozenset()

    def linked(self, line: int, source: Side, record: RecordId) -> RecordId | Wait | None:
        """The other side's id of a referenced record; None if no sync could ever link it."""
        pairs = self.routes.get(line, ())
        record = canonical_id(record)
        for pair in pairs:
            found = self.links[pair, source].get(record)
            if found is not None and (line not in self.owning or self.active.get(found, True)):
                return found
            if found is not None:
                message = f"Salesforce User {found} is inactive, and can own nothing"
                return Wait(line, source, (), record, message)
        if not pairs:
            return None
        types = types_of_pair(pairs[0])
        others = " or ".join(types_of_pair(pair)[source.other] for pair in pairs)
        message = f"waits until {types[source]} {record} has its {others}"
        if source is Side.SALESFORCE and str(record).startswith(_QUEUE):
            message = (
                f"{record} is a queue, and no {types[Side.OUTREACH]} stands for it: give the record"
                " to a user, or map queues by their names, `via` a values map"
            )
        return Wait(line, source, pairs, record, message)

    def partner(self, line: int, source: Side, record: RecordId) -> RecordId | None:
        """The other side's id of a record, if it is linked."""
        known = (self.links[pair, source].get(record) for pair in self.routes.get(line, ()))
        return next((found for found in known if found is not None), None)

    def named(self, line: int, side: Side, types: Sequence[str], name: str) -> RecordId | Wait:
        """The id of what bears a name on `side`."""
        for type_name in types:
            known = self.names[side, type_name]
            found = known.get(name, known.get(name.casefold()))
            if found is not None:
                return found
        wanted = " or ".join(_ACTIVE.get((side, t), t) for t in types) or "record"
        message = f"{side.title()} has no {wanted} named `{name}`"
        return Wait(line, side.other, (), name, message)


def routes(program: Program, mapping: Mapping) -> dict[int, tuple[str, ...]]:
    """For each line between two references: the syncs whose links translate it."""
    found = {}
    for number, code in enumerate(mapping.lines):
        if code.by_links():
            left = code.ends[Side.SALESFORCE].targets
            right = code.ends[Side.OUTREACH].targets
            pairs = [p for p in program.pairs if p.outreach.name in right and not p.label]
            # Where a record is linked to two, the first of the types that the field names counts.
            found[number] = tuple(
                pair.name for name in left for pair in pairs if pair.salesforce.name == name
            )
    return found


class Known(NamedTuple):
    """What is kept from batch to batch, so that each is asked for once a run.

    The ids of `names` are by side and type; `active` says of Salesforce users whether they are.
    """

    names: dict[tuple[Side, str], dict[str, RecordId]]
    active: dict[RecordId, bool]


def gather(
    mapping: Mapping,
    line_routes: dict[int, tuple[str, ...]],
    rows: dict[Side, list[Row]],
    last: Iterable[tuple[int, Side, RecordId]],
    ledger: Ledger,
    stores: dict[Side, Store],
    known: Known,
) -> References:
    """Look up what these rows' references stand for: one ledger query a pair, one call a type.

    `last` are the ids that lines held before, by line and side.
    """
    found = References(line_routes, names=known.names, active=known.active, owning=mapping.owning)
    wanted: dict[tuple[str, Side], set[RecordId]] = defaultdict(set)
    names: dict[tuple[Side, str], set[str]] = defaultdict(set)
    for side, number, code in _flowing(mapping, rows):
        if number in line_routes:
            slot = mapping.slot(side, code.ends[side].link_column or "")
            ids = {canonical_id(row[slot]) for row in rows[side]} - {None}
            for pair in line_routes[number]:
                wanted[pair, side] |= ids
        if code.ends[side.other].by_name:
            for type_name in code.ends[side.other].targets:
                names[side.other, type_name] |= _names(mapping, code, side, rows[side])
    for number, side, record in last:
        for pair in line_routes.get(number, ()):
            wanted[pair, side].add(record)
    for (pair, side), ids in wanted.items():
        found.links[pair, side] = ledger.others(pair, side, list(ids))
    _ask_active(stores[Side.SALESFORCE], found, known.active)
    for (side, type_name), texts in names.items():
        _ask_names(stores[side], type_name, texts, found.names[side, type_name])
    return found


def _flowing(mapping: Mapping, rows: dict[Side, list[Row]]) -> Iterator[tuple[Side, int, LineCode]]:
    """The lines through which these rows have something to tell, by the rows' side."""
    for side, batch in rows.items():
        for number, code in enumerate(mapping.lines):
            if batch and (code.line.inbound if side is Side.SALESFORCE else code.line.outbound):
                yield side, number, code


def _names(mapping: Mapping, code: LineCode, side: Side, batch: list[Row]) -> set[str]:
    """The names on the other side that a line's values come to."""
    ends = set()
    if via := code.line.via:
        ends = {str(e.right if side is Side.SALESFORCE else e.left) for e in via.entries}
        if via.otherwise_text is not None:
            ends.add(via.otherwise_text)
        if via.otherwise != "same":
            return ends
    column = code.ends[side].column
    if column is None:
        return ends
    slot = mapping.slot(side, column)
    values: set[Value] = {first(row[slot]) for row in batch}
    return ends | {str(v) for v in values if not is_empty(v)}


def _ask_active(store: Store, found: References, known: dict[RecordId, bool]) -> None:
    """Look up whether the users are active to whom Outreach gives records."""
    users = {
        str(user)
        for (pair, side), links in found.links.items()
        if found.owning and side is Side.OUTREACH and pair.startswith(f"{_USER}<->")
        for user in links.values()
    }
    if unknown := sorted(users - known.keys()):
        known.update(dict.fromkeys(unknown, True))
        rows = store.fetch(_USER, ["IsActive"], unknown)
        known.update({row[0]: row[2] is not False for row in rows})


def _ask_names(store: Store, type_name: str, texts: set[str], known: dict[str, RecordId]) -> None:
    unknown = [text for text in texts if text not in known and text.casefold() not in known]
    described = store.describe(type_name) if unknown else None
    name = "Name" if store.side is Side.SALESFORCE else "name"
    if described is None or name not in described.fields:
        return
    fields = [name, "IsActive"] if (store.side, type_name) in _ACTIVE else [name]
    for row in store.find(type_name, fields, [name], [(text,) for text in sorted(unknown)]):
        if row[-1] is False:
            continue  # who left must not stand in the way of one of the same name
        known.setdefault(row[2].casefold(), row[0])
        known[row[2]] = row[0]
