"""Undo: the inverse of what a run wrote, where nobody has changed it since; itself a run.

The bases become what both sides then hold, so that the next run neither repeats what was undone nor
carries the old values over to the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any

import msgspec

from dsl.pairs import types_of_pair
from dsl.program import Pair, Program
from dsl.schema import Side
from dsl.values import stamp
from engine.act import act
from engine.batch import Batches
from engine.case import Case, Change, FieldChange, Verdict
from engine.columns import End
from engine.context import Context, Tally, Task
from engine.cycle import Summary, recorded
from engine.interpreter import Stopped
from engine.ledger import Commit, Ledger, Link
from engine.ledger.looking import run_named, written_by, written_later
from engine.mapping import compile_pair
from engine.model import Action, Direction, RecordId, Row, Value
from engine.moves import Moved, move_back, moved_by
from engine.objection import Objection
from engine.ports import Clock, Store

__all__ = ["NoSuchRun", "undo"]

_BATCH = 500
_SECONDS = 19
_MET = "was there before: an upsert of the run went over it, and what it held is not known here"
_CREATED = {Side.SALESFORCE: "CreatedDate", Side.OUTREACH: "createdAt"}


class NoSuchRun(Exception):
    """The ledger knows no run of that name; the message says where to look."""


@dataclass
class _Written:
    """All that a run wrote to one record through one sync: the first `before`, the last value.

    A `lone` one was made for nobody's record: an import knew the person from its list alone. One
    that an upsert `met` was there before: what it held then is not known.
    """

    pair: str
    direction: Direction
    record: RecordId
    layout: int
    rule: str
    last: int = 0
    created: bool = False
    deleted: bool = False
    updated: bool = False
    lone: bool = False
    met: bool = False
    fields: dict[int, tuple[Value, Value]] = field(default_factory=dict)


def undo(  # noqa: PLR0913 - all but the first five are options with a default
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    run: str,
    *,
    clock: Clock | None = None,
    report: Callable[[Change], None] = lambda _change: None,
    stop: Callable[[], bool] = lambda: False,
) -> Summary:
    """Put back what a run wrote. The summary's `left` names what stays as it is, and why.

    Raises `NoSuchRun`.
    """
    if not list(ledger.rows(run_named(run))):
        raise NoSuchRun(f"no run `{run}` is in the ledger: `crosswalk log` names what runs did")
    left: list[Objection] = []

    def work(context: Context) -> None:
        _Undoing(program, context, zone, run, left, stop).work()

    summary = recorded(program, stores, ledger, work, Tally(report), clock=clock)
    return replace(summary, left=tuple(left))


@dataclass
class _Undoing:
    program: Program
    context: Context
    zone: tzinfo
    run: str
    left: list[Objection]
    stop: Callable[[], bool]

    def work(self) -> None:
        """Newest first, so that what refers to a record goes before the record."""
        by_pair: dict[str, list[_Written]] = {}
        found = sorted(self._written(), key=lambda w: w.last, reverse=True)
        made = {(w.direction.target, self._type(w), w.record) for w in found if w.created}
        for each in found:
            name = (each.direction.target, self._type(each), each.record)
            if each.created or name not in made:
                by_pair.setdefault(each.pair, []).append(each)
        pairs = {pair.name: pair for pair in self.program.pairs}
        for pair, written in by_pair.items():
            if pair not in pairs:
                for each in written:
                    self._leave(each, None, _no_sync(pair))
                continue
            batches = Batches(self.program, compile_pair(pairs[pair], self.zone), self.context)
            for start in range(0, len(written), _BATCH):
                if self.stop():
                    raise Stopped
                self._undo(batches, written[start : start + _BATCH])
        for moved in moved_by(self.context, self.run):
            self._move_back(pairs, moved)

    def _move_back(self, pairs: dict[str, Pair], moved: Moved) -> None:
        """Link by link, once what was written over each is put back."""
        row = moved[0]
        name, direction = row["pair"], Direction(row["direction"])
        why = _no_sync(name)
        if name in pairs:
            why = move_back(pairs[name], moved, self.context, f"undo of {self.run}") or ""
        if why:
            ids = {Side.SALESFORCE: row["salesforce_id"], Side.OUTREACH: row["outreach_id"]}
            target = direction.target
            self._leave(
                _Written(name, direction, ids[target], row["layout"], row["rule"]), None, why
            )

    def _written(self) -> Iterator[_Written]:
        found: dict[tuple[str, str, Any], _Written] = {}
        for row in self.context.ledger.rows(written_by(self.run)):
            if row["action"] in (Action.LINK, Action.UNLINK):
                continue
            direction = Direction(row["direction"])
            target, source = "outreach_id", "salesforce_id"
            if direction is Direction.OUTBOUND:
                target, source = source, target
            name = (row["pair"], direction, row[target])
            if name not in found:
                found[name] = _Written(
                    row["pair"], direction, row[target], row["layout"], row["rule"]
                )
            one = found[name]
            one.last, one.layout = row["id"], row["layout"]
            if row["state"] == "met":
                one.met = True
                continue
            one.created |= row["action"] == Action.CREATE
            one.lone |= row["action"] == Action.CREATE and row[source] is None
            one.updated |= row["action"] == Action.UPDATE
            one.deleted |= row["action"] == Action.DELETE
            if len(types_of_pair(row["pair"])) > 1:
                for line, before, value in msgspec.json.decode(row["fields"]):
                    first = one.fields.get(line, (before, value))[0]
                    one.fields[line] = (first, value)
        yield from found.values()

    def _type(self, written: _Written) -> str:
        types = types_of_pair(written.pair)
        return types.get(written.direction.target, types[Side.OUTREACH])

    def _leave(self, written: _Written, target: str | None, why: str) -> None:
        """Note what stays as it is."""
        side = written.direction.target
        record = {"side": side.value, "type": self._type(written), "id": written.record}
        name = f"{side.title()} {record['type']} {record['id']}"
        about = f"{name}: {target}" if target else name
        details = {"record": record, "field": target}
        self.left.append(Objection("undo", f"{about} {why}", details))

    # -- one batch ------------------------------------------------------------------------------

    def _undo(self, batches: Batches, written: list[_Written]) -> None:
        """Act on the inverse decisions of one pair's records."""
        tasks: list[Task] = []
        for direction in Direction:
            mine = [w for w in written if w.direction is direction]
            if mine:
                tasks += self._tasks(batches, direction, mine)
        commit = Commit()
        act(batches.mapping, batches.layout, tasks, self.context, commit)
        now = stamp(self.context.clock.now())
        self.context.ledger.commit(self.context.run, now, self.context.digest, commit)

    def _tasks(
        self, batches: Batches, direction: Direction, written: list[_Written]
    ) -> Iterator[Task]:
        mapping, side = batches.mapping, direction.target
        ids = [w.record for w in written]
        links = self.context.ledger.links(mapping.name, side, ids)
        cases = dict(batches.cases.linked(side, links, self.context.clock.now()))
        lone = [w.record for w in written if w.lone and w.record not in links]
        cases |= self._lone_cases(batches, side, lone)
        raw = self._raw(batches, side, ids)
        pair = mapping.name
        later = {r["record"] for r in self.context.ledger.rows(written_later(self.run, pair, side))}
        for each in written:
            link, case = links.get(each.record), cases.get(each.record)
            why = self._obstacle(each, link, case, side)
            if why is not None:
                self._leave(each, None, why)
            elif case is not None:
                known = _Known(raw[each.record], str(each.record) in later)
                task = self._inverse(batches, each, case, known, link)
                if task is not None:
                    yield task
                if each.met:
                    self._leave(each, None, _MET)

    def _lone_cases(
        self, batches: Batches, side: Side, ids: list[RecordId]
    ) -> dict[RecordId, Case]:
        """The cases of records that were made for nobody's record, and are still unlinked."""
        mapping, now = batches.mapping, self.context.clock.now()
        columns, store = mapping.columns[side], self.context.stores[side]
        rows = store.fetch(mapping.type_name(side), columns, ids) if ids else []
        view = mapping.view[side]
        return {
            row[0]: batches.cases.bare(side, {side: row}, {side: view(row)}, now) for row in rows
        }

    def _obstacle(
        self, written: _Written, link: Link | None, case: Case | None, side: Side
    ) -> str | None:
        """Why a record cannot be undone at all."""
        if written.deleted:
            return f"was deleted by the run: bring it back in {side.title()}"
        lone = written.lone and link is None
        if case is None or side not in case.rows or (link is None and not lone):
            return "is gone, or no longer linked"
        if written.created and not lone and side.other not in case.rows:
            return f"was created for a record that is gone from {side.other.title()}"
        return None

    def _raw(
        self, batches: Batches, side: Side, ids: list[RecordId]
    ) -> dict[RecordId, dict[str, Value]]:
        """The fields as they are written, so references by id, and when a record was made."""
        mapping = batches.mapping
        names = {code.ends[side].name for code in mapping.lines} - {None}
        created = {_CREATED[side]} & mapping.pair.type(side).fields.keys()
        columns = sorted(str(name) for name in names | created)
        rows = self.context.stores[side].fetch(mapping.type_name(side), columns, ids)
        return {row[0]: dict(zip(columns, row[2:], strict=True)) for row in rows}

    def _inverse(
        self, batches: Batches, written: _Written, case: Case, known: _Known, link: Link | None
    ) -> Task | None:
        """The inverse of one record's changes, or nothing if somebody has changed it since."""
        side, reason = written.direction.target, f"undo of {self.run}"
        fields, moved = self._fields(batches, written, case, known)
        if not written.created:
            for target in moved:
                self._leave(written, target, "was changed since")
            if not fields:
                return None
            change = case.change(
                Action.UPDATE, written.direction, reason, written.rule, tuple(fields)
            )
            return Task(case, Verdict([change]), link)
        if known.later:
            self._leave(written, None, "was written by a later run: undo that one first")
        elif moved:
            self._leave(written, ", ".join(moved), "was changed since it was created")
        elif not written.updated and _touched(case.rows[side], known.raw.get(_CREATED[side])):
            self._leave(written, None, "was changed since it was created")
        else:
            change = case.change(Action.DELETE, written.direction, reason, written.rule)
            return Task(case, Verdict([change]), link)
        return None

    def _fields(
        self, batches: Batches, written: _Written, case: Case, known: _Known
    ) -> tuple[list[FieldChange], list[str]]:
        """What to put back, and the fields that are no longer as the run left them."""
        mapping, side = batches.mapping, written.direction.target
        keys = self.context.ledger.layout_lines(written.layout)
        today = {key: number for number, key in enumerate(mapping.keys)}
        fields, moved = [], []
        for old, (before, value) in written.fields.items():
            number = today.get(keys[old])
            if number is None:
                moved.append(f"{keys[old]} (no longer in the rules)")
                continue
            code = mapping.lines[number]
            end, form = code.ends[side], code.forms[side]
            now = known.raw.get(end.name or "")
            back = self._back(side, end, before)
            if end.by_name:
                form = _as_is
            if form(now) == form(back) and not written.created:
                continue
            base = case.base(side, number)
            kept = not known.later and code.line.compares(side) and case.views[side][number] == base
            if form(now) != form(value) and not kept:
                moved.append(end.label)
                continue
            source = code.ends[side.other].label
            fields.append(
                FieldChange(number, source, end.label, now, before, back, is_link=end.is_link)
            )
        return fields, moved

    def _back(self, side: Side, end: End, before: Value) -> Value:
        """A value as it was, as the store takes it: the id of what bore the name."""
        if end.is_list or end.is_many:
            return before or []
        if not end.by_name or before is None:
            return before
        name = "Name" if side is Side.SALESFORCE else "name"
        for type_name in end.targets:
            rows = self.context.stores[side].find(type_name, [name], [name], [(before,)])
            for row in rows:
                return row[0]
        return None


@dataclass(frozen=True)
class _Known:
    """A record's fields now, and whether a later run has written it."""

    raw: dict[str, Value]
    later: bool


def _as_is(value: Value) -> Value:
    return value


def _touched(row: Row, created: Value) -> bool:
    """Whether a record was changed after the moment of its creation."""
    return created is not None and str(row[1])[:_SECONDS] != str(created)[:_SECONDS]


def _no_sync(pair: str) -> str:
    if len(types_of_pair(pair)) == 1:
        return "stays: records may be in it"
    return f"stays: the rules no longer sync {pair}"
