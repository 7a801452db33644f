"""Fields that swing: each side puts its own value back after our write, and would for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from engine.case import Change, FieldChange
from engine.context import Task
from engine.model import Action, Direction, Value

__all__ = ["WINDOW", "Update", "pause_swinging"]

#: Writes that lie further back say nothing: people do change their minds in the course of days.
WINDOW = timedelta(hours=24)
_TURNS = 3


class Update(NamedTuple):
    """What an earlier run wrote over one line: which way, and the value as the store took it."""

    line: int
    direction: Direction
    value: Value


def pause_swinging(tasks: Sequence[Task], updates: Mapping[str, Sequence[Update]]) -> None:
    """Take out of the verdicts what would be the fourth write of A, B, A, B over a line.

    `updates` are what was written within the `WINDOW`, the oldest first, by Salesforce id. The
    record's other fields go on; the one that swings is held until a third value comes, both sides
    agree, or somebody lets it go on.
    """
    for task in tasks:
        earlier = updates.get(task.link.salesforce_id, ()) if task.link else ()
        for change in [c for c in task.verdict.changes if c.action is Action.UPDATE]:
            swinging = [f for f in change.fields if _swings(f, change.direction, earlier)]
            if swinging:
                _pause(task, change, swinging, earlier)


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
    verdict.changes[place : place + 1] = [replace(change, fields=kept)] if kept else []
    verdict.changes.append(replace(change, action=Action.HOLD, reason="; ".join(words), fields=()))
    task.held = ("paused", "", "")


def _shown(value: Value) -> str:
    return "nothing" if value is None or value == "" else f"`{value}`"
