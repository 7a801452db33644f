"""Fields that swing: each side puts its own value back after our write, and would for ever."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from dsl.values import first, stamp
from engine.case import Case, Change, FieldChange
from engine.context import Task
from engine.ledger import Held, Ledger
from engine.mapping import Mapping
from engine.model import SIDES, Action, Direction, Value

__all__ = ["WINDOW", "pause_swinging"]

#: Writes that lie further back say nothing: people do change their minds in the course of days.
WINDOW = timedelta(hours=24)
_TURNS = 3
_SHOWN = 60


class Update(NamedTuple):
    """What an earlier run wrote over one line: which way, and the value as the store took it."""

    line: int
    direction: Direction
    value: Value


def pause_swinging(
    tasks: Sequence[Task], mapping: Mapping, layout: int, ledger: Ledger, now: datetime
) -> None:
    """Take out of the verdicts what would be the fourth write of A, B, A, B over a line.

    The record's other fields go on; one that swings is held until both sides agree, a third value
    comes, or somebody lets it go on, however long that takes. Then counting begins anew.
    """
    updating = {
        task.link.salesforce_id: task
        for task in tasks
        if task.link and any(c.action is Action.UPDATE for c in task.verdict.changes)
    }
    if not updating:
        return
    updates = _updates(mapping, layout, ledger, list(updating), stamp(now - WINDOW))
    links = [task.link for task in updating.values() if task.link]
    paused = ledger.swings.paused(mapping.name, links)
    for record, task in updating.items():
        earlier, known = updates.get(record, ()), paused.get(record, {})
        for change in [c for c in task.verdict.changes if c.action is Action.UPDATE]:
            swinging = [
                field
                for field in change.fields
                if known.get(mapping.keys[field.line]) == _place(task.case, field.line)
                or _swings(field, change.direction, earlier)
            ]
            if swinging:
                _pause(task, change, swinging)


def _updates(
    mapping: Mapping, layout: int, ledger: Ledger, ids: list[str], since: str
) -> dict[str, list[Update]]:
    """The writes that count, the oldest first, by Salesforce id."""
    found: dict[str, list[Update]] = defaultdict(list)
    numbers: dict[int, dict[int, int]] = {}
    uncounted = ledger.swings.uncounted(mapping.name, ids)
    for written in ledger.swings.writes(mapping.name, ids, since):
        record, old = written.salesforce_id, written.layout
        if old not in numbers:
            numbers[old] = _todays_lines(mapping, layout, ledger, old)
        for before, _, value in written.fields:
            line = numbers[old].get(before)
            if line is None or written.number <= uncounted.get((record, mapping.keys[line]), 0):
                continue
            found[record].append(Update(line, Direction(written.direction), value))
    return found


def _todays_lines(mapping: Mapping, layout: int, ledger: Ledger, old: int) -> dict[int, int]:
    """Where the lines of an old layout stand in today's."""
    if old == layout:
        return {number: number for number in range(len(mapping.lines))}
    today = {key: number for number, key in enumerate(mapping.keys)}
    lines = ledger.layout_lines(old)
    return {number: today[key] for number, key in enumerate(lines) if key in today}


def _swings(field: FieldChange, direction: Direction, earlier: Sequence[Update]) -> bool:
    last = [update for update in earlier if update.line == field.line][-_TURNS:]
    if len(last) < _TURNS:
        return False
    one, two, three = last
    turns = (one.direction is three.direction is not direction, two.direction is direction)
    return all(turns) and one.value == three.value and two.value == field.value


def _place(case: Case, line: int) -> str:
    """Tells what both sides say of a line from anything else; values may be long, or secret."""
    values = [case.views[side][line] for side in SIDES]
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()[:32]


def _pause(task: Task, change: Change, swinging: list[FieldChange]) -> None:
    """Hold each of these fields by itself, and let the others of the change go on."""
    verdict, case = task.verdict, task.case
    kept = tuple(field for field in change.fields if field not in swinging)
    place = verdict.changes.index(change)
    verdict.changes[place : place + 1] = [change._replace(fields=kept)] if kept else []
    for field in swinging:
        message = _message(change, field)
        case.note(field.line, f"held back: {message}")
        held = Held("paused", case.mapping.keys[field.line], _place(case, field.line))
        task.paused[message] = held
        verdict.changes.append(change._replace(action=Action.HOLD, reason=message, fields=()))


def _message(change: Change, field: FieldChange) -> str:
    source = change.direction.source
    record = f"--type {change.types[source]} --id {change.id(source)}"
    return (
        f"`{field.target}` swings between {_shown(field.after)} and {_shown(field.before)}:"
        " something on each side puts its own value back, so it is paused until both agree or"
        f" one has a third value; `crosswalk resume {record}` lets it go on"
    )


def _shown(value: Value) -> str:
    value = first(value)
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return f"`{text}`" if text else "nothing"
