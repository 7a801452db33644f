"""Acting on decisions: the only room that writes to a store, and to the ledger before it does."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dsl.schema import Side
from engine.budgeted import room_for, spent_there
from engine.case import Change
from engine.conclude import Answered, conclude
from engine.context import Context, Task
from engine.ledger import Commit, Intent
from engine.mapping import Mapping
from engine.model import (
    DIRECTIONS,
    NO_CALLS,
    SIDES,
    Action,
    Direction,
    Outcome,
    RecordId,
    Result,
    Row,
    Write,
)
from engine.ports import Store
from engine.tracing import span

__all__ = ["act"]

_encode = msgspec.json.Encoder().encode
_WRITING = (Action.CREATE, Action.UPDATE, Action.DELETE)


def act(
    mapping: Mapping, layout: int, tasks: Sequence[Task], context: Context, commit: Commit
) -> None:
    """Carry out a batch's decisions; what has to be kept of them is added to `commit`."""
    sent = _send(mapping, layout, tasks, context)
    after = _read_back(mapping, sent, context.stores)
    conclude(mapping, layout, tasks, sent, after, context, commit)


def _send(
    mapping: Mapping,
    layout: int,
    tasks: Sequence[Task],
    context: Context,
) -> list[Answered]:
    """Commit the intents, then write them, one call to the store for each direction."""
    sent: list[Answered] = []
    for direction in DIRECTIONS:
        planned = [
            (task, change)
            for task in tasks
            for change in task.verdict.changes
            if change.action in _WRITING and change.direction is direction
        ]
        again, planned = context.refusals.part(mapping.name, planned)
        sent += [Answered(task, change, None, result) for task, change, result in again]
        planned, waiting = _afforded(mapping, planned, direction, context)
        sent += waiting
        if planned:
            with span("write", side=direction.target.value, records=len(planned)):
                numbers = _intend(mapping, layout, [c for _, c in planned], direction, context)
                sent += _write_all(mapping, planned, numbers, direction, context)
    return sent


def _afforded(
    mapping: Mapping,
    planned: list[tuple[Task, Change]],
    direction: Direction,
    context: Context,
) -> tuple[list[tuple[Task, Change]], list[Answered]]:
    """The changes that the target's budget has calls for, and the others with that answer.

    Asked before the intents are committed, so that what waits was certainly not sent.
    """
    if not planned:
        return [], []
    target = direction.target
    read_back = target not in mapping.unread
    room, spent = room_for(context.stores[target], len(planned), read_back=read_back)
    if spent is None:
        return planned, []
    context.waits.note(spent)
    answer = Result(Outcome.TRANSIENT, code=NO_CALLS, message=str(spent))
    return planned[:room], [Answered(task, change, None, answer) for task, change in planned[room:]]


def _intend(
    mapping: Mapping,
    layout: int,
    changes: Sequence[Change],
    direction: Direction,
    context: Context,
) -> list[int]:
    """Commit what is about to be sent, with the target's own time, by which it can be found."""
    intents = [
        Intent(
            pair=mapping.name,
            layout=layout,
            action=change.action,
            direction=change.direction,
            salesforce_id=change.salesforce_id,
            outreach_id=change.outreach_id,
            fields=_encode([(f.line, f.before, f.value) for f in change.fields]),
            reason=change.reason,
            rule=change.rule,
        )
        for change in changes
    ]
    return context.ledger.intend(context.run, context.stores[direction.target].now(), intents)


def _write_all(
    mapping: Mapping,
    planned: Sequence[tuple[Task, Change]],
    numbers: Sequence[int],
    direction: Direction,
    context: Context,
) -> list[Answered]:
    writes = [_write(mapping, change) for _, change in planned]
    type_name = mapping.type_name(direction.target)
    results = context.stores[direction.target].write(type_name, writes)
    context.written[direction.target, type_name][mapping.name] += len(writes)
    context.refusals.note(mapping.name, [change for _, change in planned], results)
    if (unsent := next((r for r in results if r.code == NO_CALLS), None)) is not None:
        context.waits.note(spent_there(context.stores[direction.target], unsent.message))
    _note_unheard(mapping, planned, results, direction, context)
    if context.chosen is not None:
        context.chosen.note(direction.target, type_name, results)
    return [
        Answered(task, change, number, _as_wanted(change, result))
        for (task, change), number, result in zip(planned, numbers, results, strict=True)
    ]


def _note_unheard(
    mapping: Mapping,
    planned: Sequence[tuple[Task, Change]],
    results: Sequence[Result],
    direction: Direction,
    context: Context,
) -> None:
    """Until the next run has looked for it, a create that may have gone through has made a record.

    So what this run sees of it on the other side is no new record there.
    """
    for (_, change), result in zip(planned, results, strict=True):
        if change.action is Action.CREATE and result.outcome is Outcome.UNKNOWN:
            unheard = context.unheard.setdefault((mapping.name, direction), set())
            unheard.add(change.id(direction.source))


def _as_wanted(change: Change, result: Result) -> Result:
    """A record that was to be deleted and is not there is as it should be."""
    if change.action is Action.DELETE and result.outcome is Outcome.GONE:
        return Result(Outcome.DONE, change.id(change.direction.target))
    return result


def _write(mapping: Mapping, change: Change) -> Write:
    side = change.direction.target
    values = {mapping.lines[f.line].ends[side].name or f.target: f.value for f in change.fields}
    delete = change.action is Action.DELETE
    return Write(change.id(side), values, delete, change.upsert or None)


def _read_back(
    mapping: Mapping, sent: Sequence[Answered], stores: dict[Side, Store]
) -> dict[Side, dict[RecordId, Row]]:
    """What the stores hold now of the records written: the base is what came back.

    A side that tells the engine nothing is not asked, which saves a call a batch.
    """
    rows: dict[Side, dict[RecordId, Row]] = {}
    for side in SIDES:
        ids: list[RecordId] = [
            a.result.id
            for a in sent
            if a.change.direction.target is side
            and a.result.outcome is Outcome.DONE
            and a.change.action is not Action.DELETE
            and a.result.id is not None
        ]
        if side in mapping.unread:
            blank = (None,) * len(mapping.columns[side])
            rows[side] = {record: (record, "", *blank) for record in ids}
        elif ids:
            found = stores[side].fetch(mapping.type_name(side), mapping.columns[side], ids)
            rows[side] = {row[0]: row for row in found}
        else:
            rows[side] = {}
    return rows
