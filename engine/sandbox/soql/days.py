"""Date literals: `TODAY`, `LAST_N_DAYS:7` and their like, as ranges of days by a clock in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

__all__ = ["range_of"]

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)

#: For each unit: the first day of the one that a day is in, and the same so many units on.
_START: dict[str, Callable[[date], date]] = {
    "DAY": lambda day: day,
    # Weeks begin on Sunday, as in the locale en_US.
    "WEEK": lambda day: day - timedelta(days=(day.weekday() + 1) % 7),
    "MONTH": lambda day: day.replace(day=1),
    "QUARTER": lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    "YEAR": lambda day: day.replace(month=1, day=1),
}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_NAMED = {"TODAY": ("DAY", 0), "YESTERDAY": ("DAY", -1), "TOMORROW": ("DAY", 1)}
_WHICH = {"THIS": 0, "LAST": -1, "NEXT": 1}
_SINGLE = re.compile(r"(THIS|LAST|NEXT)_(?:(WEEK|MONTH)|(?:FISCAL_)?(QUARTER|YEAR))")
_COUNTED = re.compile(
    r"(?:(LAST|NEXT)_N|N)_(?:(DAY|WEEK|MONTH)S|(?:FISCAL_)?(QUARTER|YEAR)S)(_AGO)?:(\d{1,6})"
)


def range_of(text: str, today: date) -> tuple[date, date] | None:
    """The range's first day, and the day behind its last one; None if it is no date literal.

    Fiscal quarters and years are those of the calendar, as in a new org. Where the calendar ends,
    the range does too.
    """
    word = text.upper()
    if word in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        word = word.replace("_90_", "_N_") + ":90"
    if word in _NAMED:
        unit, number = _NAMED[word]
        return _unit(today, unit, number, 1)
    if (single := _SINGLE.fullmatch(word)) is not None:
        return _unit(today, single[2] or single[3], _WHICH[single[1]], 1)
    counted = _COUNTED.fullmatch(word)
    if counted is None or (counted[1] is None) == (counted[4] is None):
        return None
    return _counted(today, counted[1], counted[2] or counted[3], int(counted[5]))


def _counted(today: date, direction: str | None, unit: str, number: int) -> tuple[date, date]:
    if direction is None:
        return _unit(today, unit, -number, 1)
    if direction == "NEXT":
        return _unit(today, unit, 1, number)
    first, _ = _unit(today, unit, -number, 1)
    # The last so many days include today; the last so many weeks end with the week before.
    return first, today + _DAY if unit == "DAY" else _START[unit](today)


def _unit(today: date, unit: str, ahead: int, count: int) -> tuple[date, date]:
    start = _START[unit](today)
    return _later(start, unit, ahead), _later(start, unit, ahead + count)


def _later(start: date, unit: str, count: int) -> date:
    try:
        if unit in _MONTHS:
            months = start.year * 12 + start.month - 1 + count * _MONTHS[unit]
            return date(months // 12, months % 12 + 1, 1)
        return start + count * (_WEEK if unit == "WEEK" else _DAY)
    except (ValueError, OverflowError):
        return date.max if count > 0 else date.min
