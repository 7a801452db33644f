"""Acting on decisions: the only room that writes to a store, and to the ledger before it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from dsl.schema import Side
from engine.budgeted import room_for, spent_there
from engine.case import Case, Change
from engine.context import Context, Tally, Task
from engine.decide import settle
from engine.ledger import Commit, Intent, Link, Pending
from engine.mapping import UNSET, Mapping
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
from engine.moves import note_move
from engine.notes import conflict_rows, log_row
from engine.ports import Store
from engine.tracing import span

__all__ = ["act"]

_encode = msgspec.json.Encoder().encode
_WRITING = (Action.CREATE, Action.UPDATE, Action.DELETE)


@dataclass
class _Answered:
    """A change that was sent, with the vendor's answer; it has no number if it was sent before."""

    task: Task
    change: Change
    number: int | None
    result: Result


def act(
    mapping: Mapping, layout: int, tasks: Sequence[Task], context: Context, commit: Commit
) -> None:
    """Carry out a batch's decisions; what has to be kept of them is added to `commit`."""
    sent = _send(mapping, layout, tasks, context)
    after = _read_back(mapping, sent, context.stores)
    by_task: dict[int, list[_Answered]] = defaultdict(list)
    for answer in sent:
        by_task[id(answer.task)].append(answer)
        _note_answer(mapping, answer, commit)
    for task in tasks:
        _conclude(mapping, layout, task, by_task[id(task)], after, commit, context.tally)


def _send(
    mapping: Mapping,
    layout: int,
    tasks: Sequence[Task],
    context: Context,
) -> list[_Answered]:
    """Commit the intents, then write them, one call to the store for each direction."""
    sent: list[_Answered] = []
    for direction in DIRECTIONS:
        planned = [
            (task, change)
            for task in tasks
            for change in task.verdict.changes
            if change.action in _WRITING and change.direction is direction
        ]
        again, planned = context.refusals.part(mapping.name, planned)
        sent += [_Answered(task, change, None, result) for task, change, result in again]
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
) -> tuple[list[tuple[Task, Change]], list[_Answered]]:
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
    return planned[:room], [
        _Answered(task, change, None, answer) for task, change in planned[room:]
    ]


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
) -> list[_Answered]:
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
        _Answered(task, change, number, _as_wanted(change, result))
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
    return Write(change.id(side), values, change.action is Action.DELETE)


def _read_back(
    mapping: Mapping, sent: Sequence[_Answered], stores: dict[Side, Store]
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


def _note_answer(mapping: Mapping, answer: _Answered, commit: Commit) -> None:
    change, result = answer.change, answer.result
    if answer.number is None:
        return
    ids = {side: change.id(side) for side in SIDES}
    if result.outcome is Outcome.DONE:
        ids[change.direction.target] = result.id
    state = "done" if result.outcome is Outcome.DONE else "refused"
    error = None if result.outcome is Outcome.DONE else f"{result.code}: {result.message}"
    if result.outcome is not Outcome.UNKNOWN:  # its intent stays open, for the next run to look
        commit.answers.append(
            (answer.number, state, ids[Side.SALESFORCE], ids[Side.OUTREACH], error)  # type: ignore[arg-type]
        )
    if error is not None:
        word = "unanswered" if result.outcome is Outcome.UNKNOWN else "refused"
        word = "waits" if result.code == NO_CALLS else word
        commit.logs.append(log_row(mapping, f"{change.action} {word}", error, ids))


def _conclude(
    mapping: Mapping,
    layout: int,
    task: Task,
    answers: list[_Answered],
    after: dict[Side, dict[RecordId, Row]],
    commit: Commit,
    tally: Tally,
) -> None:
    """One record's part of the commit: its link and bases, what waits, and the counts."""
    refused = [a for a in answers if a.result.outcome is not Outcome.DONE]
    failed = {id(a.change) for a in refused}
    went = [c for c in task.verdict.changes if id(c) not in failed]
    tally.counts["failed"] += sum(
        a.number is not None and a.result.code != NO_CALLS for a in refused
    )
    for change in went:
        told = tally.add(_with_ids(change, answers), task.case)
        if told and change.action is Action.HOLD:
            commit.logs.append(log_row(mapping, "held", change.reason, _ids(task.case)))
        commit.logs += conflict_rows(mapping, change) if told else []
    _note_pending(mapping, task, refused, commit)
    if _unlinked(mapping, task, went, commit):
        return
    rows = dict(task.case.rows)
    for answer in answers:
        side = answer.change.direction.target
        row = after[side].get(answer.result.id or "")
        if answer.result.outcome is Outcome.DONE and row is not None:
            rows[side] = row
    if len(rows) == len(SIDES):
        _relink(mapping, layout, task, went, rows, commit)
        note_move(mapping, layout, task, went, commit)
        return
    for change in went:
        if change.action is Action.CREATE:
            _link_unseen(mapping, layout, _with_ids(change, answers), commit)


def _link_unseen(mapping: Mapping, layout: int, change: Change, commit: Commit) -> None:
    """A record was made, but cannot be read back yet: linked all the same, with nothing agreed."""
    blank = _encode([UNSET] * len(mapping.keys))
    if change.salesforce_id is not None and change.outreach_id is not None:
        link = Link(change.salesforce_id, change.outreach_id, layout, blank, blank)
        commit.links.append((mapping.name, link))


def _note_pending(mapping: Mapping, task: Task, refused: list[_Answered], commit: Commit) -> None:
    """What of a record has to be looked at again: refusals, holds, references that wait."""
    for answer in refused:
        record = _record(task, answer.change.direction.source)
        if record[1] is None:  # only a list knows it, or an undo: there is nothing to wait for
            continue
        commit.pending.append(Pending(mapping.name, *record, *_why(answer.result)))
    for change in task.verdict.changes:
        if change.action is Action.HOLD:
            record = _record(task, change.direction.source)
            held = task.paused.get(change.reason, task.held)
            commit.pending.append(Pending(mapping.name, *record, *held, change.reason))
    for wait in task.verdict.waits:
        record = _record(task, wait.side)
        why = "reference" if wait.pairs else "transient"
        commit.pending += [
            Pending(mapping.name, *record, why, pair, str(wait.id), wait.message)
            for pair in wait.pairs or ("",)
        ]


def _why(result: Result) -> tuple[str, str, str, str]:
    """Why a write that did not go through is pending, and in which words."""
    if result.code == NO_CALLS:
        return "budget", "", "", result.message
    passing = result.outcome in (Outcome.TRANSIENT, Outcome.UNKNOWN)
    why = "transient" if passing else "refused"
    return why, "", "", f"{result.code}: {result.message}"


def _unlinked(mapping: Mapping, task: Task, went: list[Change], commit: Commit) -> bool:
    """Whether one of the two records is gone; then the link becomes a tombstone."""
    for change in went:
        if task.link and change.action in (Action.UNLINK, Action.DELETE):
            source = change.direction.source
            undone = change.action is Action.DELETE and source in task.case.rows
            gone = source.other if undone else source
            commit.unlinks.append((mapping.name, task.link.salesforce_id, gone))
            commit.seen.append((mapping.name, Side.SALESFORCE, task.link.salesforce_id))
            commit.links += task.heirs
            commit.pending += task.later
            return True
    return False


def _relink(
    mapping: Mapping,
    layout: int,
    task: Task,
    went: list[Change],
    rows: dict[Side, Row],
    commit: Commit,
) -> None:
    views = {
        side: mapping.view[side](row)
        if row is not task.case.rows.get(side)
        else task.case.views[side]
        for side, row in rows.items()
    }
    done = [c for c in went if c.action in (Action.CREATE, Action.UPDATE, Action.LINK)]
    bases = settle(task.case, task.verdict, done, views)
    link = Link(
        rows[Side.SALESFORCE][0],
        rows[Side.OUTREACH][0],
        layout,
        _encode(bases[Side.SALESFORCE]),
        _encode(bases[Side.OUTREACH]),
    )
    if link != task.link or task.revived:
        commit.links.append((mapping.name, link))
    if task.revived:
        commit.revived.append((mapping.name, link.salesforce_id, link.outreach_id))


def _with_ids(change: Change, answers: list[_Answered]) -> Change:
    """The change with the id that its create was given."""
    if change.action is not Action.CREATE:
        return change
    new: Any = next(a.result.id for a in answers if a.change is change)
    if change.direction is Direction.INBOUND:
        return change._replace(outreach_id=new)
    return change._replace(salesforce_id=new)


def _ids(case: Case) -> dict[Side, RecordId | None]:
    return {side: case.id(side) for side in SIDES}


def _record(task: Task, side: Side) -> tuple[Side, Any]:
    """By which id a record is pending: that of the side whose change has to wait."""
    return side, task.link.id(side) if task.link else task.case.id(side)
