"""Two local orgs in memory, a ledger and a clock that a test sets: a small world for rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dsl.program import Program
from engine.case import Change
from engine.compiled import Compiled
from engine.cycle import Summary, change_as_json, rehearse, run_cycle
from engine.ledger import Ledger
from engine.model import SIDES, Action, Outcome, RecordId, Side, Write
from engine.ports import Store
from engine.stores.local import open_org
from tests.engine.rules import program_of

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741
MEMORY = Path(":memory:")


def local(clock: Clock, closing: ExitStack) -> tuple[dict[Side, Any], dict[Side, Any]]:
    """Two orgs in memory, which are their own stores."""
    orgs = {side: open_org(side, MEMORY, clock) for side in SIDES}
    for org in orgs.values():
        closing.callback(org.close)
    return orgs, dict(orgs)


#: Gives a new world its orgs, as users act on them, and the stores by which cycles see these.
settle = local


class Clock:
    """Stands still until it is told to move on."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_(self, **time: float) -> None:
        self.moment += timedelta(**time)


@dataclass
class World:
    """Each act of a user, and each cycle, takes a minute."""

    program: Program
    clock: Clock = field(default_factory=Clock)
    stores: dict[Side, Any] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=lambda: Ledger(MEMORY))
    changes: list[Change] = field(default_factory=list)
    compiled: Compiled | None = None

    def __post_init__(self) -> None:
        self.closing = ExitStack()
        self.closing.callback(self.ledger.close)
        self.orgs, self.stores = settle(self.clock, self.closing)

    def close(self) -> None:
        self.closing.close()

    def rules(self, text: str) -> None:
        """Take other rules from now on."""
        self.program = program_of(text)

    # -- what users do --------------------------------------------------------------------------

    def create(self, side: Side, type_name: str, **values: Any) -> RecordId:
        return self._write(side, type_name, Write(None, values))

    def edit(self, side: Side, type_name: str, record: RecordId, **values: Any) -> None:
        self._write(side, type_name, Write(record, values))

    def delete(self, side: Side, type_name: str, record: RecordId) -> None:
        self._write(side, type_name, Write(record, delete=True))

    def _write(self, side: Side, type_name: str, write: Write) -> RecordId:
        self.clock.pass_(minutes=1)
        (result,) = self.orgs[side].write(type_name, [write])
        assert result.outcome is Outcome.DONE, result
        assert result.id is not None
        return result.id

    def all(self, side: Side, type_name: str, *fields: str) -> dict[RecordId, tuple[Any, ...]]:
        pages = self.orgs[side].scan(type_name, list(fields), None)
        return {row[0]: row[2:] for page in pages for row in page.rows}

    def one(self, side: Side, type_name: str, record: RecordId, *fields: str) -> Any:
        (row,) = self.orgs[side].fetch(type_name, list(fields), [record])
        return row[2] if len(fields) == 1 else row[2:]

    # -- cycles ---------------------------------------------------------------------------------

    def run(self, **options: Any) -> Summary:
        self.clock.pass_(minutes=1)
        self.changes = []
        return self._cycle(self.stores, self.ledger, **options)

    def plan(self) -> tuple[Summary, list[Change]]:
        self.changes = []
        with rehearse(self.stores, self.ledger) as (stores, ledger):
            return self._cycle(stores, ledger), self.changes

    def _cycle(self, stores: dict[Side, Store], ledger: Ledger, **options: Any) -> Summary:
        if self.compiled is None or self.compiled.program is not self.program:
            self.compiled = Compiled(self.program, UTC)
        return run_cycle(
            self.program,
            stores,
            ledger,
            UTC,
            clock=self.clock,
            report=self.changes.append,
            compiled=self.compiled,
            **options,
        )

    def written(self) -> list[dict[str, Any]]:
        """The last cycle's changes in JSON, those aside that a condition left alone."""
        return [change_as_json(c) for c in self.changes if c.action is not Action.SKIP]

    def links(self, pair: str) -> dict[RecordId, RecordId]:
        side, type_name = S, pair.split("<->", maxsplit=1)[0]
        ids = list(self.all(side, type_name))
        return self.ledger.others(pair, side, ids)


@contextmanager
def world(rules: str) -> Iterator[World]:
    """A world with these rules."""
    found = World(program_of(rules))
    try:
        yield found
    finally:
        found.close()
