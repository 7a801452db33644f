"""The world of one test: two empty orgs and a ledger in memory, and a clock that it moves on."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from dsl.schema import Kind, ObjectType, Side
from dsl.values import stamp
from engine.case import Change
from engine.cycle import run_cycle
from engine.ledger import Commit, Ledger, Link
from engine.model import SIDES, Action, RecordId, Row, Value
from engine.ports import Store
from engine.rule_tests.rules import Rules
from engine.stores.local import LocalOrg, Refused, load, open_org

__all__ = ["CYCLES", "START", "Clock", "World"]

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CYCLES = 3
_MEMORY = Path(":memory:")
_WRITES = (Action.CREATE, Action.UPDATE, Action.LINK, Action.UNLINK, Action.DELETE)
_encode = msgspec.json.Encoder().encode


class Clock:
    """Stands still until a statement of the test, or a cycle, moves it on by a minute."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def tick(self) -> None:
        self._now += timedelta(minutes=1)


class World:
    """Both orgs, the ledger and the clock of one test; to be closed."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.clock = Clock()
        self.orgs: dict[Side, LocalOrg] = {}
        with ExitStack() as stack:
            for side in SIDES:
                self.orgs[side] = open_org(side, _MEMORY, self.clock)
                stack.callback(self.orgs[side].close)
            for type_name, name, kind in rules.custom_fields:
                with suppress(Refused):  # what can be no field's name is refused as it is written
                    self.orgs[Side.SALESFORCE].add_field(type_name, name, kind)
            self.ledger = Ledger(_MEMORY)
            stack.callback(self.ledger.close)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    # -- records --------------------------------------------------------------------------------

    def rows(self, type_: ObjectType, fields: list[str] | tuple[str, ...]) -> list[Row]:
        """All records of a type, in the order of their ids."""
        pages = self.orgs[type_.side].scan(type_.name, fields, None)
        return sorted((row for page in pages for row in page.rows), key=lambda row: row[0])

    def row(self, type_: ObjectType, record: RecordId, fields: list[str]) -> Row | None:
        """One record, if it is there."""
        found = self.orgs[type_.side].fetch(type_.name, fields, [record])
        return found[0] if found else None

    def overwrite(
        self, type_: ObjectType, record: RecordId, values: dict[str, Value], *, touch: bool
    ) -> None:
        """Set what no user may write: formulas, system fields. With `touch` the stamp moves on."""
        org = self.orgs[type_.side]
        raw: dict[str, Any] = org.get(type_.name, record) or {}
        if type_.side is Side.SALESFORCE:
            now = {"SystemModstamp": stamp(self.clock.now())} if touch else {}
            raw |= now | values
        else:
            now = {"updatedAt": stamp(self.clock.now())} if touch else {}
            raw["attributes"] |= now
            for name, value in values.items():
                field = type_.fields.get(name)
                if field is None or field.kind is not Kind.REFERENCE:
                    raw["attributes"][name] = value
                    continue
                data = value and {"type": field.references[0], "id": value}
                raw["relationships"][name] = {"data": data}
        with tempfile.TemporaryDirectory(prefix="crosswalk-test-") as folder:
            file = Path(folder) / f"{type_.name}.json"
            file.write_text(json.dumps([raw]), encoding="utf-8")
            load(org, Path(folder))

    # -- links ----------------------------------------------------------------------------------

    def link(self, pair: str, ids: dict[Side, RecordId]) -> None:
        """Link two records as if both sides had agreed on what they hold now."""
        mapping = self.rules.mappings[pair]
        views = {}
        for side in SIDES:
            columns = list(mapping.columns[side])
            row = self.row(mapping.pair.type(side), ids[side], columns)
            views[side] = _encode(mapping.view[side](row or ()))
        link = Link(
            str(ids[Side.SALESFORCE]),
            int(ids[Side.OUTREACH]),
            self.ledger.layout(mapping.name, mapping.keys),
            views[Side.SALESFORCE],
            views[Side.OUTREACH],
        )
        commit = Commit(links=[(pair, link)])
        self.ledger.commit("given", stamp(self.clock.now()), "", commit)

    def is_linked(self, type_: ObjectType, record: RecordId) -> bool:
        """Whether a record is linked by any sync of its type; True if there is none."""
        pairs = self.rules.pairs_of(type_.side, type_.name)
        return not pairs or any(
            self.ledger.others(pair.name, type_.side, [record]) for pair in pairs
        )

    # -- cycles ---------------------------------------------------------------------------------

    def cycle(self) -> list[Change]:
        """Run one cycle; its changes, and what was skipped or held."""
        self.clock.tick()
        changes: list[Change] = []
        stores: dict[Side, Store] = dict(self.orgs)
        made = self.orgs[Side.OUTREACH].file.made
        none = frozenset(name for name in self.rules.activities if not made(name))
        compiled = self.rules.without(none)
        run_cycle(
            compiled.program,
            stores,
            self.ledger,
            self.rules.zone,
            clock=self.clock,
            only=self.rules.only,
            compiled=compiled,
            report=changes.append,
        )
        return changes

    @staticmethod
    def wrote(changes: list[Change]) -> bool:
        """Whether a cycle did anything but look."""
        return any(change.action in _WRITES for change in changes)
