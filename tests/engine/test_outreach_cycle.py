"""Whole cycles with Outreach behind its own protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.ledger.schema import change as changes
from engine.model import Outcome, Result, Write
from engine.ports import Unreachable
from engine.sandbox.faults import Faults, faults
from engine.stores.local import open_org
from tests.engine.rules import program_of
from tests.engine.world import MEMORY, O, S, World
from tests.stores.outreach import Connected, connected

RULES = """
sync Lead <-> prospect {
    match Email = emails
    polling
    inbound create
    inbound update
    inbound delete
    pushing
    outbound create
    outbound update
    outbound delete
    fields { LastName <-> lastName  Company <-> company  Email <-> emails  Title <-> title }
}
"""


BREAKING = "before=0.04,after=0.04,reset=0.04,truncated=0.04,401=0.03,500=0.04,503=0.04"


class Now:
    """The computer's clock, which the server's `Date` goes by too."""

    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def pass_(self, **_: float) -> None:
        """Nobody waits for it."""


class Hours(Now):
    """The server's clock, which hours pass by."""

    passed = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.passed


@dataclass
class Behind(World):
    """A world whose Outreach is reached over HTTP."""

    at: Connected = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.clock = Now()  # type: ignore[assignment]
        self.orgs = {S: open_org(S, MEMORY), O: self.at.org}
        self.stores = {S: self.orgs[S], O: self.at.store}
        # Nothing appears late here, and nobody waits minutes for it.
        self.at.store.lag = timedelta(0)

    def people(self) -> dict[Any, Any]:
        """What both sides hold, by e-mail address."""
        leads = self.all(S, "Lead", "Email", "LastName", "Title", "Company")
        found = self.all(O, "prospect", "emails", "lastName", "title", "company")
        here = {values[0]: values[1:] for values in leads.values()}
        there = {values[0][0]: values[1:] for values in found.values()}
        assert (len(leads), len(found)) == (len(here), len(there))
        assert here == there
        return here


@contextmanager
def behind(folder: Path, going_wrong: Faults | None = None, **more: Any) -> Iterator[Behind]:
    with connected(folder, going_wrong, **more) as at:
        found = Behind(program_of(RULES), at=at)
        try:
            yield found
        finally:
            found.orgs[S].close()
            found.ledger.close()


def lead(at: World, number: int, **values: Any) -> Any:
    email = f"n{number}@x.co"
    return at.create(S, "Lead", LastName=f"N{number}", Company="C", Email=email, **values)


def test_both_sides_agree_after_edits_and_deletes_on_both(tmp_path: Path) -> None:
    with behind(tmp_path) as at:
        leads = [lead(at, n) for n in range(20)]
        for n in range(20, 25):
            at.create(O, "prospect", lastName=f"N{n}", company="C", emails=[f"n{n}@x.co"])
        summary = at.run()
        assert (summary.status, summary.counts["created"]) == ("done", 25)
        assert len(at.people()) == 25
        links = at.links("Lead<->prospect")
        at.edit(S, "Lead", leads[0], Title="here")
        at.edit(O, "prospect", links[leads[0]], company="there")
        at.edit(O, "prospect", links[leads[1]], title="there")
        at.delete(S, "Lead", leads[2])
        at.delete(O, "prospect", links[leads[3]])  # nothing but its absence tells of it
        planned, _ = at.plan()
        summary = at.run()
        assert (summary.counts["updated"], summary.counts["deleted"]) == (3, 2)
        assert planned.counts == summary.counts
        people = at.people()
        assert len(people) == 23
        assert people["n0@x.co"] == ("N0", "here", "there")
        assert not any(at.run().counts.values())


def test_deletes_are_noticed_by_turns_where_a_page_does_not_hold_all(tmp_path: Path) -> None:
    with behind(tmp_path) as at:
        leads = [lead(at, n) for n in range(11)]
        at.run()
        at.at.store.page_size = 4
        links = at.links("Lead<->prospect")
        at.delete(O, "prospect", links[leads[9]])
        at.delete(O, "prospect", links[leads[1]])
        deleted = [at.run().counts["deleted"] for _ in range(6)]
        assert sum(deleted) == 2
        assert sum(deleted[:4]) == 2
        assert len(at.people()) == 9


class Silent:
    """A store one of whose creates is done, and its answer lost."""

    def __init__(self, store: Any, lost: int, done: bool) -> None:
        self._store, self._lost, self._done = store, lost, done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        at = self._lost
        if at >= len(writes) or writes[at].id is not None:
            return list(self._store.write(type_name, writes))
        self._lost = len(writes)
        sent = writes if self._done else [*writes[:at], *writes[at + 1 :]]
        done = list(self._store.write(type_name, sent))
        silent = Result(Outcome.UNKNOWN, None, "NO_ANSWER", "no answer")
        return [*done[:at], silent, *done[at + (1 if self._done else 0) :]]


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("match", ["match Email = emails", ""])
def test_a_create_without_an_answer_makes_nobody_twice(
    tmp_path: Path, done: bool, match: str
) -> None:
    with behind(tmp_path) as at:
        at.rules(RULES.replace("match Email = emails", match))
        for n in range(5):
            lead(at, n)
        at.stores[O] = Silent(at.at.store, 2, done)
        summary = at.run()
        assert (summary.status, summary.counts["created"]) == ("failed", 4)
        open_ = [row for row in at.ledger.rows(changes.select()) if row["state"] == "sending"]
        assert len(open_) == 1
        at.run()
        assert len(at.people()) == 5
        assert len(at.links("Lead<->prospect")) == 5
        assert not any(at.run().counts.values())


def test_whatever_breaks_both_sides_come_to_agree(tmp_path: Path) -> None:
    with behind(tmp_path, faults(BREAKING, 2)) as at:
        leads = [lead(at, n) for n in range(30)]
        for n in range(30, 40):
            at.create(O, "prospect", lastName=f"N{n}", company="C", emails=[f"n{n}@x.co"])
        _until_quiet(at)
        assert len(at.people()) == 40
        for record in leads[:10]:
            at.edit(S, "Lead", record, Title="new")
        _until_quiet(at)
        assert sum(values[1] == "new" for values in at.people().values()) == 10


def _until_quiet(at: Behind) -> None:
    for _ in range(12):
        try:
            if not any(at.run().counts.values()):
                return
        except Unreachable:
            continue
    raise AssertionError("it goes on and on")


def test_what_the_hours_limit_leaves_is_done_later(tmp_path: Path) -> None:
    clock = Hours()
    with behind(tmp_path, hourly_limit=110, clock=clock) as at:
        at.at.store.transport.pace.clock = lambda: clock.now().timestamp()
        for n in range(120):
            lead(at, n)
        summary = at.run()
        made = len(at.all(O, "prospect"))
        assert 20 < made < 120
        assert summary.waits
        clock.passed += timedelta(hours=1)
        at.run()
        assert made < len(at.all(O, "prospect"))
        for _ in range(3):
            clock.passed += timedelta(hours=1)
            at.run()
        assert len(at.people()) == 120
