"""Fields that swing A, B, A, B between the two sides, since each side undoes what the other says.

What tells them is that the value going one way is the one that went that way before, and so is what
came back in between. Somebody who turns a value to and fro on one side writes in one direction and
is never taken for that, nor are two people over some days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from dsl.values import first
from engine.case import Case, FieldChange, Pause
from engine.model import SIDES, Direction
from engine.translate import slot

__all__ = ["WINDOW", "pause_of"]

#: How far back writes are looked at: a swing by automations is at its fourth write in an hour, with
#: the usual interval of polling.
WINDOW = timedelta(hours=24)

_BEFORE = 3  # writes before the one that would complete A, B, A, B
_SHOWN = 60


def pause_of(case: Case, change: FieldChange, direction: Direction) -> Pause | None:
    """Why a field is not written, if it is paused or this write would complete A, B, A, B."""
    if case.lately is None:
        return None
    number, place = change.line, _place(case, change.line)
    known = case.lately.paused.get(case.mapping.keys[number]) == place
    writes = [(d, value) for d, line, value in case.lately.writes if line == number]
    if not known and not _swings(writes, direction, change.value):
        return None
    left, right = (f"{side.title()} says {_shown(case, number, side)}" for side in SIDES)
    ends = case.mapping.lines[number].ends
    names = " and ".join(dict.fromkeys(ends[side].label for side in SIDES))
    message = (
        f"{names} swing to and fro: {left}, {right}, and what is written to one is undone by the"
        " other; paused until either says something else, or `crosswalk resume`"
    )
    return Pause(number, direction, message, place, new=not known)


def _swings(writes: Sequence[tuple[Direction, Any]], direction: Direction, value: Any) -> bool:
    """Whether this write would be the fourth of a swing, with the three before it."""
    found = [(direction, first(value))]
    for each in reversed(writes):
        told = (each[0], first(each[1]))
        # A write whose answer never came may have been sent twice.
        if told != found[-1]:
            found.append(told)
        if len(found) > _BEFORE:
            break
    if len(found) <= _BEFORE:
        return False
    now, back, before, further = found
    return now == before and back == further and now[0] is not back[0]


def _place(case: Case, number: int) -> str:
    """Tells what both sides say of a line from anything else; values may be long, or secret."""
    values = [case.views[side][number] for side in SIDES]
    return hashlib.sha256(msgspec.json.encode(values)).hexdigest()[:32]


def _shown(case: Case, number: int, side: Any) -> str:
    code = case.mapping.lines[number]
    if code.ends[side].column is None:
        value = case.views[side][number]
    else:
        value = first(case.rows[side][slot(case, code, side)])
    if value in (None, ""):
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return f"`{text}`"
