"""How moments lie to each other, as far as that holds at any time and in any time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from dsl.evaluate import Context, value_of
from dsl.program import Ago, Constant, Expression, Moment
from dsl.values import instant

__all__ = ["NOW", "NOWHERE", "Point", "moment_of", "point", "signs"]

#: For values that depend on neither a record nor the time.
NOWHERE = Context(lambda _: None, lambda _: False, datetime(2000, 1, 1, tzinfo=UTC))
#: The time at which values are tried out.
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)

_MOST = 400

# A zone is less than a day away from UTC, so a date's midnight is too.
_ANY_ZONE = timedelta(days=1)
# Where the clocks go back a day has 25 hours; what is two days ago was before today everywhere.
_BEFORE_TODAY = 2 * 24 * 60 * 60


class Point(NamedTuple):
    """A moment: a `date` (its midnight in some zone), an `instant`, seconds `ago`, or `today`."""

    sort: str
    value: Any


def point(expression: Expression) -> Point | None:
    """The moment that an expression without fields stands for; None if it is none."""
    match expression:
        case Moment(word="today"):
            return Point("today", 0)
        case Moment():
            return Point("ago", 0)
        case Ago(seconds=seconds):
            return Point("ago", seconds)
        case Constant():
            return _written(value_of(expression, NOWHERE))
    return None


def _written(value: object) -> Point | None:
    moment = instant(value)
    if not isinstance(value, str) or moment is None:
        return None
    return Point("date", moment.date()) if len(value) == 10 else Point("instant", moment)


def moment_of(found: Point) -> datetime:
    """When a point is, at the time and in the zone that values are tried out in."""
    match found.sort:
        case "date":
            return _midnight(found.value)
        case "ago":
            return NOW - timedelta(seconds=found.value)
        case "today":
            return _midnight(NOW.date())
    moment: datetime = found.value
    return moment


def _before(a: Point, b: Point) -> str | None:
    """`<` or `<=` if `a` is certainly before `b`, or not after it."""
    match a, b:
        case (
            (("date", x), ("date", y)) | (("instant", x), ("instant", y)) | (("ago", y), ("ago", x))
        ):
            return "<" if x < y else None
        case ("date", date() as x), ("instant", y):
            return "<" if _midnight(x) + _ANY_ZONE <= y else None
        case ("instant", x), ("date", date() as y):
            return "<" if x + _ANY_ZONE <= _midnight(y) else None
        case ("ago", seconds), ("today", _):
            return "<" if seconds >= _BEFORE_TODAY else None
        case ("today", _), ("ago", 0):
            return "<="
    return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


# Where a value lies to one point and to a later one, -1 before, 0 at and 1 after it, and cannot.
_NOT_IF_BEFORE = frozenset({(-1, 0), (-1, 1), (0, 0), (0, 1)})
_NOT_UNLESS_AFTER = frozenset({(-1, 0), (-1, 1), (0, 1)})


def signs(points: Sequence[Point], days: bool = False) -> list[tuple[int, ...]] | None:
    """All ways in which a value can lie to the points; None if there are too many.

    `days` says that the value is a date, so that there is none between a day and the next.
    """
    found: list[tuple[int, ...]] = [()]
    for number, new in enumerate(points):
        facts = [_impossible(old, new) | _next(old, new, days) for old in points[:number]]
        found = [
            (*sides, side)
            for sides in found
            for side in (-1, 0, 1)
            if all((at, side) not in bad for at, bad in zip(sides, facts, strict=True))
        ]
        if len(found) > _MOST:
            return None
    return found


def _impossible(a: Point, b: Point) -> frozenset[tuple[int, int]]:
    """The places to `a` and `b` that no value has."""
    order, reverse = _before(a, b), _before(b, a)
    if order:
        return _NOT_IF_BEFORE if order == "<" else _NOT_UNLESS_AFTER
    if reverse:
        bad = _NOT_IF_BEFORE if reverse == "<" else _NOT_UNLESS_AFTER
        return frozenset((x, y) for y, x in bad)
    return frozenset()


_BETWEEN = {1: frozenset({(1, -1)}), -1: frozenset({(-1, 1)})}


def _next(a: Point, b: Point, days: bool) -> frozenset[tuple[int, int]]:
    """The place between two points that no date has."""
    if not days or a.sort != "date" or b.sort != "date":
        return frozenset()
    return _BETWEEN.get((b.value - a.value).days, frozenset())
