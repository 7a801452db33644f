"""What other rules would do differently to the real records: decided twice, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from dsl.pairs import types_of_pair
from dsl.program import Program
from dsl.schema import Side
from dsl.values import is_empty
from engine.batch import Batches
from engine.case import Case
from engine.context import Task
from engine.cycle import rehearse
from engine.examine import examiner
from engine.ledger import Ledger
from engine.model import DIRECTIONS, SIDES, Action, RecordId
from engine.ports import Clock, Store
from engine.references import Wait
from engine.rehearsal import is_provisional
from engine.translate import line_holds, translate
from engine.translator import HOLD

__all__ = ["Other", "diff"]

_OUT = "left alone"
_OUTCOMES = {
    Action.CREATE: "created",
    Action.LINK: "linked",
    Action.HOLD: "held for review",
    Action.UNLINK: "unlinked",
    Action.DELETE: "deleted",
}


@dataclass(frozen=True)
class Other:
    """One record that fares differently: as a whole, or (with `field`) in one field."""

    sync: str
    side: Side
    record: RecordId
    what: str
    field: str | None = None
    before: Any = None
    after: Any = None

    def as_json(self) -> dict[str, Any]:
        kind = types_of_pair(self.sync)[self.side]
        return {
            "sync": self.sync,
            "record": {"side": self.side.value, "type": kind, "id": self.record},
            "what": self.what,
            "field": self.field,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True)
class _Picture:
    """What rules make of a record: what becomes of it, and the value that each field would have."""

    outcome: str = _OUT
    fields: dict[str, Any] = field(default_factory=dict)


def diff(
    old: Program,
    new: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    clock: Clock,
) -> Iterator[Other]:
    """The records that fare differently under `new` rules than under `old` ones, sync by sync."""
    with ExitStack() as stack:
        sides = []
        for program in (old, new):
            rehearsal, copy = stack.enter_context(rehearse(stores, ledger))
            sides.append(examiner(program, rehearsal, copy, zone, clock))
        for name in dict.fromkeys(pair.name for program in (new, old) for pair in program.pairs):
            yield from _by_sync(name, sides[0].get(name), sides[1].get(name))


def _by_sync(name: str, old: Batches | None, new: Batches | None) -> Iterator[Other]:
    """Page by page, so that memory stays constant."""
    known = new or old
    if known is None:
        return
    for side in SIDES:
        store, type_name = known.context.stores[side], known.mapping.type_name(side)
        for page in store.scan(type_name, (), None):
            ids = [row[0] for row in page.rows]
            if side is Side.OUTREACH:
                linked = known.context.ledger.others(name, side, ids)
                ids = [record for record in ids if record not in linked]
            before, after = (_pictures(batches, side, ids) for batches in (old, new))
            for record in ids:
                one = before.get(record, _Picture())
                yield from _compare(name, side, record, one, after.get(record, _Picture()))


def _pictures(
    batches: Batches | None, side: Side, ids: Sequence[RecordId]
) -> dict[RecordId, _Picture]:
    if batches is None or not ids:
        return {}
    mapping, context = batches.mapping, batches.context
    rows = context.stores[side].fetch(mapping.type_name(side), mapping.columns[side], ids)
    now = context.clock.now()
    tasks = batches.decide(side, rows, (), now, True).tasks
    return {task.case.id(side): _picture(batches, side, task) for task in tasks}


def _picture(batches: Batches, side: Side, task: Task) -> _Picture:
    if not _watched(batches, side, task.case):
        return _Picture()
    told = [_OUTCOMES[c.action] for c in task.verdict.changes if c.action in _OUTCOMES]
    fields = {
        f"{c.types[c.direction.target]}.{f.target}": _plain(f.after)
        for c in task.verdict.changes
        if c.action is Action.CREATE
        for f in c.fields
    }
    if len(task.case.rows) == len(SIDES):
        fields = dict(_wanted(batches, task.case))
        return _Picture(told[0] if told else "linked", fields)
    return _Picture(told[0] if told else _OUT, fields)


def _watched(batches: Batches, side: Side, case: Case) -> bool:
    """Whether the record is looked at at all."""
    toggle = "polling" if side is Side.SALESFORCE else "pushing"
    holds = batches.mapping.conditions.get(toggle)
    on = batches.mapping.pair.toggle(toggle).on
    return on and (holds is None or case.ask(holds))


def _wanted(batches: Batches, case: Case) -> Iterator[tuple[str, Any]]:
    """What each field of two linked records would be given, were its source to change."""
    mapping = batches.mapping
    for direction in DIRECTIONS:
        if not (mapping.flows(direction, "update") and case.holds(direction, "update")):
            continue
        for number, code in enumerate(mapping.lines):
            flows = code.line.inbound if direction is DIRECTIONS[0] else code.line.outbound
            if not flows or code.line.once or not line_holds(case, code):
                continue
            value = translate(case, number, direction)
            if value is not HOLD:
                target = direction.target
                name = f"{mapping.type_name(target)}.{code.ends[target].label}"
                yield name, value.message if isinstance(value, Wait) else _plain(value)


def _plain(value: Any) -> Any:
    return None if isinstance(value, str | int) and is_provisional(value) else value


def _compare(
    sync: str, side: Side, record: RecordId, one: _Picture, two: _Picture
) -> Iterator[Other]:
    if one.outcome != two.outcome:
        what = f"{two.outcome}, not {one.outcome}"
        yield Other(sync, side, record, what, None, one.outcome, two.outcome)
        return
    for name in dict.fromkeys((*one.fields, *two.fields)):
        if is_empty(one.fields.get(name)) and is_empty(two.fields.get(name)):
            continue  # a line that is there in one of them only, and has nothing to give
        if name not in two.fields:
            yield Other(sync, side, record, "no longer set", name, one.fields[name], None)
        elif name not in one.fields:
            yield Other(sync, side, record, "newly set", name, None, two.fields[name])
        elif one.fields[name] != two.fields[name]:
            values = one.fields[name], two.fields[name]
            yield Other(sync, side, record, "given another value", name, *values)
