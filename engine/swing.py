"""Fields that swing: each side puts its own value back after our write, and would for ever."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from dsl.values import stamp
from engine.case import Change, FieldChange
from engine.context import Task
from engine.ledger import Held, Ledger
from engine.mapping import Mapping
from engine.model import Action, Direction, Value

__all__ = ["WINDOW", "pause_swinging"]

#: Writes that lie further back say nothing: people do change their minds in the course of days.
WINDOW = timedelta(hours=24)
_TURNS = 3


class Update(NamedTuple):
    """What an earlier run wrote over one line: which way, and the value as the store took it."""

    line: int
    direction: Direction
    value: Value


def pause_swinging(
    tasks: Sequence[Task], mapping: Mapping, layout: int, ledger: Ledger, now: datetime
) -> None:
    """Take out of the verdicts what would be the fourth write of A, B, A, B over a line.

    The record's other fields go on; the one that swings is held until a third value comes, both
    sides agree, or somebody lets it go on.
    """
    updating = [
        (task, task.link.salesforce_id)
        for task in tasks
        if task.link and any(c.action is Action.UPDATE for c in task.verdict.changes)
    ]
    if not updating:
        return
    updates = _updates(mapping, layout, ledger, [record for _, record in updating], now)
    for task, record in updating:
        earlier = updates.get(record, ())
        for change in [c for c in task.verdict.changes if c.action is Action.UPDATE]:
            swinging = [f for f in change.fields if _swings(f, change.direction, earlier)]
            if swinging:
                _pause(task, change, swinging, earlier)


def _updates(
    mapping: Mapping, layout: int, ledger: Ledger, ids: list[str], now: datetime
) -> dict[str, list[Update]]:
    """What was written within the `WINDOW`, the oldest first, by Salesforce id."""
    found: dict[str, list[Update]] = defaultdict(list)
    numbers: dict[int, dict[int, int]] = {}
    for record, old, direction, fields in ledger.updates(mapping.name, ids, stamp(now - WINDOW)):
        if old not in numbers:
            numbers[old] = _todays_lines(mapping, layout, ledger, old)
        found[record] += [
            Update(numbers[old][line], Direction(direction), value)
            for line, _, value in fields
            if line in numbers[old]
        ]
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
    first, second, third = last
    turns = (first.direction is third.direction is not direction, second.direction is direction)
    return all(turns) and first.value == third.value and second.value == field.value


def _pause(
    task: Task, change: Change, swinging: list[FieldChange], earlier: Sequence[Update]
) -> None:
    verdict, words = task.verdict, []
    for field in swinging:
        other = [update.value for update in earlier if update.line == field.line][-1]
        words.append(
            f"`{field.target}` swings between {_shown(field.value)} and {_shown(other)}: something"
            f" on each side puts its own value back, so it is paused"
        )
        task.case.note(field.line, f"held back: {words[-1]}")
    kept = tuple(field for field in change.fields if field not in swinging)
    place = verdict.changes.index(change)
    verdict.changes[place : place + 1] = [change._replace(fields=kept)] if kept else []
    verdict.changes.append(change._replace(action=Action.HOLD, reason="; ".join(words), fields=()))
    task.held = Held("paused")


def _shown(value: Value) -> str:
    return "nothing" if value is None or value == "" else f"`{value}`"
