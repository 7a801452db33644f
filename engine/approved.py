"""Carrying out a saved plan: exactly its changes, once, and only if what they rest on still holds.

The records of the plan go through the very cycle that made it. First in a rehearsal, which must
come to the same changes; then for real, where a verdict that the plan does not hold is let be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from dsl.program import Program
from dsl.schema import Side
from dsl.values import stamp
from engine.case import Case, Change, Verdict
from engine.chosen import Chosen
from engine.clock import SystemClock
from engine.cycle import Summary, rehearse, run_cycle
from engine.interpreter import Progress, Stopped
from engine.ledger import Ledger
from engine.mapping import compile_pair
from engine.model import SIDES, Action, Direction, RecordId
from engine.objection import Objection
from engine.planfile import Entry, Plan, entry_of, schema_digest
from engine.ports import Clock, Store

__all__ = ["calls_of", "run_plan"]

_Key = tuple[str, str, str, RecordId | None]


def run_plan(  # noqa: PLR0913 - a cycle's own options
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    plan: Plan,
    *,
    clock: Clock | None = None,
    report: Callable[[Change], None] = lambda _change: None,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _step, _count: None,
) -> Summary:
    """Run exactly this plan. The summary's objections say why it was refused, if it was."""
    clock = clock or SystemClock()
    planned = _Planned.of(plan)
    only = frozenset(plan.types) or None

    def before(run: str) -> Sequence[Objection]:
        found = list(_outdated(program, stores, ledger, plan))
        if not found:
            trial = _Trial(program, stores, ledger, zone, clock, planned, only, stop)
            found = trial.objections()
        if not found:
            ledger.note_applied(plan.plan, run, stamp(clock.now()))
        return found

    return run_cycle(
        program,
        stores,
        ledger,
        zone,
        clock=clock,
        only=only,
        chosen=Chosen(planned.records()),
        admit=planned.admits,
        before=before,
        report=report,
        stop=stop,
        progress=progress,
    )


def calls_of(
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    plan: Plan,
    *,
    clock: Clock | None = None,
) -> dict[str, int]:
    """The calls that carrying out a plan takes by side, its check included: it is rehearsed."""
    with rehearse(stores, ledger) as (rehearsal, copy):
        return run_plan(program, rehearsal, copy, zone, plan, clock=clock).calls


def _outdated(
    program: Program, stores: dict[Side, Store], ledger: Ledger, plan: Plan
) -> Iterator[Objection]:
    """What makes a plan void as a whole."""
    applied = ledger.applied(plan.plan)
    if applied is not None:
        run, at = applied
        message = f"the plan {plan.plan} was carried out by run {run} at {at}"
        yield Objection("plan", message, {"applied_by": run})
    elif plan.made_at < (since := ledger.plans_known_since()):
        message = f"which plans were carried out is known from {since} on, and the plan {plan.plan}"
        yield Objection("plan", f"{message} is older: make a new one")
    if plan.rules != program.digest:
        yield Objection("plan", f"the rules are others than when the plan {plan.plan} was made")
    if plan.schema != schema_digest(program, stores):
        message = f"the fields of a type are others than when the plan {plan.plan} was made"
        yield Objection("plan", message)


# -- the same decisions -------------------------------------------------------------------------


@dataclass
class _Planned:
    """A plan's changes, to be found by record."""

    entries: list[Entry]
    by_key: dict[_Key, list[Entry]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, plan: Plan) -> _Planned:
        found = cls(plan.changes)
        for entry in plan.changes:
            found.by_key[_key(entry)].append(entry)
        return found

    def records(self) -> dict[tuple[str, Side], list[RecordId]]:
        """The records that led to the changes, in the plan's order."""
        found: dict[tuple[str, Side], list[RecordId]] = defaultdict(list)
        for entry in self.entries:
            side = Side(entry.seen) if entry.seen else None
            end = entry.end(side) if side else None
            if side is not None and end is not None and end.id is not None:
                found[entry.pair, side].append(end.id)
        return found

    def find(self, now: Entry) -> Entry | None:
        """The planned change that a decision of now repeats."""
        pair, action, direction, record = _key(now)
        for key in ((pair, action, direction, record), (pair, action, direction, None)):
            for entry in self.by_key.get(key, ()):
                if _same(entry, now):
                    return entry
        return None

    def admits(self, verdict: Verdict) -> bool:
        """Whether the plan holds all that a verdict would do."""
        return all(
            change.action is Action.SKIP or self.find(entry_of(change, None)) is not None
            for change in verdict.changes
        )


def _key(entry: Entry) -> _Key:
    source = entry.end(Direction(entry.direction).source)
    return entry.pair, entry.action, entry.direction, None if source is None else source.id


def _same(planned: Entry, now: Entry) -> bool:
    """Whether two changes do the same; what the plan was yet to make has an id by now."""
    ends = ((planned.end(side), now.end(side)) for side in SIDES)
    if any(one and two and one.id is not None and one.id != two.id for one, two in ends):
        return False
    if len(planned.fields) != len(now.fields):
        return False
    return all(
        (one.target, one.before) == (two.target, two.before)
        and (one.after == two.after or one.after is None)
        for one, two in zip(planned.fields, now.fields, strict=True)
    )


@dataclass
class _Trial:
    """A rehearsal of a plan's records, which has to come to the same changes."""

    program: Program
    stores: dict[Side, Store]
    ledger: Ledger
    zone: tzinfo
    clock: Clock
    planned: _Planned
    only: frozenset[str] | None
    stop: Callable[[], bool]

    def objections(self) -> list[Objection]:
        """Where it comes to something else than the plan, and why."""
        left = {id(entry): entry for entry in self.planned.entries}
        others: list[Entry] = []

        def keep(change: Change, case: Case | None) -> None:
            if change.action is Action.SKIP:
                return
            now = entry_of(change, case)
            found = self.planned.find(now)
            if found is None:
                others.append(now)
            else:
                left.pop(id(found), None)

        self._rehearse(keep)
        touched = {name for entry in others for name in _names(entry)}
        suspects = [
            entry
            for entry in self.planned.entries
            if id(entry) in left or not touched.isdisjoint(_names(entry))
        ]
        moves = _Moves(self.program, self.stores, self.zone).of(suspects)
        return (
            moves
            or [_otherwise(entry, others) for entry in left.values()]
            or [_unplanned(entry) for entry in others]
        )

    def _rehearse(self, keep: Callable[[Change, Case | None], None]) -> None:
        with rehearse(self.stores, self.ledger) as (stores, copy):
            summary = run_cycle(
                self.program,
                stores,
                copy,
                self.zone,
                clock=self.clock,
                only=self.only,
                chosen=Chosen(self.planned.records()),
                keep=keep,
                stop=self.stop,
            )
        if summary.status == "stopped":
            raise Stopped
        for spent in summary.waits:  # whether the plan still holds is not known
            raise spent


def _names(entry: Entry) -> Iterator[tuple[str, RecordId]]:
    for side in SIDES:
        end = entry.end(side)
        if end is not None and end.id is not None:
            yield end.type, end.id


# -- what moved ---------------------------------------------------------------------------------


@dataclass
class _Moves:
    """Compares what a plan rests on with what the stores hold now."""

    program: Program
    stores: dict[Side, Store]
    zone: tzinfo

    def of(self, entries: Sequence[Entry]) -> list[Objection]:
        """One objection for each field that moved, told once."""
        wanted: dict[tuple[str, Side], dict[RecordId, Any]] = defaultdict(dict)
        for entry in entries:
            for side in SIDES:
                end = entry.end(side)
                if end is not None and end.id is not None and end.stamp is not None:
                    wanted[entry.pair, side].setdefault(end.id, end)
        columns = {
            (pair.name, side): compile_pair(pair, self.zone).columns[side]
            for pair in self.program.pairs
            for side in SIDES
        }
        found: dict[tuple[str, RecordId, str], Objection] = {}
        for (pair, side), ends in wanted.items():
            if (pair, side) not in columns:
                continue
            type_name = next(iter(ends.values())).type
            rows = self.stores[side].fetch(type_name, columns[pair, side], list(ends))
            now = {row[0]: row for row in rows}
            for record, end in ends.items():
                for moved in _differences(side, end, columns[pair, side], now.get(record)):
                    name = (type_name, record, moved.details.get("field", ""))
                    found.setdefault(name, moved)
        return list(found.values())


def _differences(
    side: Side, end: Any, columns: Sequence[str], row: tuple[Any, ...] | None
) -> Iterator[Objection]:
    record = {"side": side.value, "type": end.type, "id": end.id}
    name = f"{side.title()} {end.type} {end.id}"
    if row is None:
        yield Objection("plan", f"{name} was deleted since", {"record": record})
        return
    for path, value in zip(columns, row[2:], strict=True):
        before, after = end.values.get(path), None if value == "" else value
        if before != after and (before or after) not in (None, []):
            message = f"{name} has moved: {path} was {_shown(before)} and is {_shown(after)} now"
            details = {"record": record, "field": path, "before": before, "after": after}
            yield Objection("plan", message, details)


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "empty"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _otherwise(entry: Entry, others: Sequence[Entry]) -> Objection:
    """A planned change whose own records have not moved: what it is decided on beside them has."""
    source = Direction(entry.direction).source
    end = entry.end(source) or entry.end(source.other)
    name = f"{end.type} {end.id or '(new)'}" if end else entry.pair
    mine = set(_names(entry))
    instead = next((o for o in others if not mine.isdisjoint(_names(o))), None)
    now = f"{instead.action} ({instead.reason})" if instead else "nothing"
    message = (
        f"{name} was to be {_PAST[entry.action]} ({entry.reason}), and now the rules say: {now}"
    )
    return Objection("plan", message, {"record": _record(entry), "planned": entry.action})


_PAST = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "link": "linked",
    "unlink": "unlinked",
    "hold": "held",
}


def _unplanned(entry: Entry) -> Objection:
    message = f"the rules now also say: {entry.action} of {entry.pair} ({entry.reason})"
    return Objection("plan", message, {"record": _record(entry)})


def _record(entry: Entry) -> dict[str, Any] | None:
    source = Direction(entry.direction).source
    end = entry.end(source)
    return {"side": source.value, "type": end.type, "id": end.id} if end else None
