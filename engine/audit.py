"""Audit: every record of both sides against what the rules say of it, changed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from dsl.pairs import types_of_pair
from dsl.program import Program
from dsl.schema import Side
from dsl.values import first, is_empty
from engine.batch import Batches
from engine.case import Case
from engine.context import Task
from engine.cycle import rehearse
from engine.examine import examiner
from engine.ledger import Ledger
from engine.mapping import LineCode
from engine.model import DIRECTIONS, SIDES, Action, RecordId, Row
from engine.ports import Clock, Store
from engine.references import Wait
from engine.translate import same, translate
from engine.translator import HOLD

__all__ = ["Difference", "audit", "decided"]

_SHOWS = (Action.CREATE, Action.LINK, Action.HOLD, Action.UNLINK, Action.DELETE)


@dataclass(frozen=True)
class Difference:
    """Where two sides differ: a field of two linked records, or a record without its like.

    `why` says what a run would do about it, or what holds it back.
    """

    sync: str
    salesforce: RecordId | None
    outreach: RecordId | None
    source: str | None
    target: str | None
    values: tuple[Any, Any]
    why: str
    rule: str

    def as_json(self) -> dict[str, Any]:
        left, right = types_of_pair(self.sync).values()
        return {
            "salesforce": {"type": left, "id": self.salesforce},
            "outreach": {"type": right, "id": self.outreach},
            "source": self.source,
            "target": self.target,
            "values": dict(zip((side.value for side in SIDES), self.values, strict=True)),
            "why": self.why,
            "rule": self.rule,
        }


def audit(
    program: Program,
    stores: dict[Side, Store],
    ledger: Ledger,
    zone: tzinfo,
    clock: Clock,
    compared: Callable[[str, int], None] = lambda _sync, _count: None,
) -> Iterator[Difference]:
    """All differences, one after another; `compared` is told how many records it has seen."""
    with rehearse(stores, ledger) as (rehearsal, copy):
        for batches in examiner(program, rehearsal, copy, zone, clock).values():
            for task, count in decided(batches):
                compared(batches.mapping.name, count)
                yield from _differences(batches, task)


def decided(batches: Batches) -> Iterator[tuple[Task, int]]:
    """What is decided on each record of both sides; linked ones come once. With a running count."""
    count, context, mapping = 0, batches.context, batches.mapping
    now = context.clock.now()
    for side in SIDES:
        store, type_name = context.stores[side], mapping.type_name(side)
        for page in store.scan(type_name, mapping.columns[side], None):
            for task in batches.decide(side, _new(batches, side, page.rows), (), now, True).tasks:
                count += 1
                yield task, count
    for task in _orphans(batches, now):
        count += 1
        yield task, count


def _new(batches: Batches, side: Side, rows: list[Row]) -> list[Row]:
    """The rows that were not seen from the other side already."""
    if side is Side.SALESFORCE:
        return rows
    name, ids = batches.mapping.name, [row[0] for row in rows]
    linked = batches.context.ledger.others(name, side, ids)
    return [row for row in rows if row[0] not in linked]


def _orphans(batches: Batches, now: Any) -> Iterator[Task]:
    """Links whose record in Salesforce is gone."""
    mapping, context = batches.mapping, batches.context
    side, chunk = Side.SALESFORCE, 1000
    ids = [link.salesforce_id for link in context.ledger.all_links(mapping.name)]
    for start in range(0, len(ids), chunk):
        part: list[RecordId] = list(ids[start : start + chunk])
        rows = context.stores[side].fetch(mapping.type_name(side), (), part)
        there = {row[0] for row in rows}
        gone = [record for record in part if record not in there]
        yield from batches.decide(side, (), gone, now, True).tasks


def _differences(batches: Batches, task: Task) -> Iterator[Difference]:
    case, mapping = task.case, batches.mapping
    for change in task.verdict.changes:
        if change.action in _SHOWS:
            why = f"a run would {change.action} it ({change.reason})"
            if change.action is Action.HOLD:
                why = f"it is held for review ({change.reason})"
            ids = change.salesforce_id, change.outreach_id
            yield Difference(mapping.name, *ids, None, None, (None, None), why, change.rule)
    if task.link is None or len(case.rows) < len(SIDES):
        return
    changes = [c for c in task.verdict.changes if c.action is not Action.SKIP]
    written = {f.line: c.direction for c in changes for f in c.fields}
    for number, code in enumerate(mapping.lines):
        if code.line.once or _alike(case, number, code):
            continue
        why = (case.notes or {}).get(number, "it was settled so: neither side has changed since")
        if number in written:
            why = f"a run would write it to {written[number].target.title()}"
        left, right = (_value(case, code, side) for side in SIDES)
        ends = code.ends[Side.SALESFORCE].label, code.ends[Side.OUTREACH].label
        ids = case.id(Side.SALESFORCE), case.id(Side.OUTREACH)
        yield Difference(mapping.name, *ids, *ends, (left, right), why, code.line.span.place)


def _alike(case: Case, number: int, code: LineCode) -> bool:
    """Whether a line's sides say the same, in one of the directions in which it flows."""
    if code.when is not None and not case.ask(code.when):
        return True
    told = False
    for direction in DIRECTIONS:
        flows = code.line.inbound if direction is DIRECTIONS[0] else code.line.outbound
        if not flows:
            continue
        value = translate(case, number, direction)
        if value is HOLD:
            continue  # the map or the kinds say nothing of such a value
        told = True
        if isinstance(value, Wait):
            return False
        there = case.rows[direction.target][code.slots[direction.target]]
        if same(case, number, direction, value) or (is_empty(value) and is_empty(first(there))):
            return True
    return not told


def _value(case: Case, code: LineCode, side: Side) -> Any:
    if code.ends[side].column is None:
        return None
    return case.rows[side][code.slots[side]]
