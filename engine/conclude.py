"""What became of a batch's writes: links and bases, what waits, and what is told of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from dsl.schema import Side
from engine.case import Case, Change
from engine.context import Context, Tally, Task
from engine.decide import settle
from engine.ledger import Commit, Link, Pending
from engine.mapping import UNSET, Mapping
from engine.model import NO_CALLS, SIDES, Action, Direction, Outcome, RecordId, Result, Row
from engine.moves import note_move
from engine.notes import conflict_rows, log_row
from engine.upserts import given_back, held_of, meet, met_words, owners_of_met, written

__all__ = ["Answered", "conclude"]

_encode = msgspec.json.Encoder().encode


@dataclass
class Answered:
    """A change that was sent, with the vendor's answer; it has no number if it was sent before."""

    task: Task
    change: Change
    number: int | None
    result: Result


def conclude(
    mapping: Mapping,
    layout: int,
    tasks: Sequence[Task],
    sent: Sequence[Answered],
    after: dict[Side, dict[RecordId, Row]],
    context: Context,
    commit: Commit,
) -> None:
    """Add to `commit` what has to be kept of these tasks; `after` is what was read back."""
    by_task: dict[int, list[Answered]] = defaultdict(list)
    for answer in sent:
        _note_answer(mapping, answer, commit)
    for answer in _with_met(mapping, layout, sent, after[Side.SALESFORCE], context, commit):
        by_task[id(answer.task)].append(answer)
    for task in tasks:
        _conclude(mapping, layout, task, by_task[id(task)], after, commit, context.tally)


def _with_met(
    mapping: Mapping,
    layout: int,
    sent: Sequence[Answered],
    rows: dict[RecordId, Row],
    context: Context,
    commit: Commit,
) -> Sequence[Answered]:
    """The answers that stand; tasks whose upsert met a record get the verdict that came of it."""
    if not any(answer.result.met for answer in sent):
        return sent
    owners = owners_of_met(mapping, [(a.change, a.result) for a in sent], context.ledger)
    left = []
    for answer in sent:
        task, change, record = answer.task, answer.change, answer.result.id
        if record is None or not answer.result.met:
            left.append(answer)
        elif owners[record] == change.outreach_id:
            meet(mapping, task, change, record, rows.get(record))
            left.append(answer)
        else:
            held_of(mapping, task, change, record, owners[record])
            link = context.ledger.links(mapping.name, Side.SALESFORCE, [record]).get(record)
            if link is not None and record in rows:
                by_line, key = written(mapping, change), change.upsert
                given_back(mapping, layout, link, rows[record], key, by_line, commit)
    return left


def _note_answer(mapping: Mapping, answer: Answered, commit: Commit) -> None:
    change, result = answer.change, answer.result
    if answer.number is None:
        return
    ids = {side: change.id(side) for side in SIDES}
    if result.outcome is Outcome.DONE:
        ids[change.direction.target] = result.id
    if result.met:
        words = met_words(mapping, change, result.id)
        met = (answer.number, "met", ids[Side.SALESFORCE], ids[Side.OUTREACH], words)
        commit.answers.append(met)  # type: ignore[arg-type]
        return
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
    answers: list[Answered],
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
        if change.action in (Action.CREATE, Action.LINK):
            _link_unseen(mapping, layout, _with_ids(change, answers), commit)


def _link_unseen(mapping: Mapping, layout: int, change: Change, commit: Commit) -> None:
    """A record was made, but cannot be read back yet: linked all the same, with nothing agreed."""
    blank = _encode([UNSET] * len(mapping.keys))
    if change.salesforce_id is not None and change.outreach_id is not None:
        link = Link(change.salesforce_id, change.outreach_id, layout, blank, blank)
        commit.links.append((mapping.name, link))


def _note_pending(mapping: Mapping, task: Task, refused: list[Answered], commit: Commit) -> None:
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


def _with_ids(change: Change, answers: list[Answered]) -> Change:
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
