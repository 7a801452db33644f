"""Points and lengths of time as people write them, at the command line and in the console."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from dsl.values import stamp

__all__ = ["ago", "length_of_time", "point_in_time", "span", "stamp_of"]

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"([0-9]{1,9}) ?(?:([smhdw])|(second|minute|hour|day|week)s?)(?: ago)?")
_LONGEST = 100 * 366 * 86_400  # as far back as a clock is worth turning


def length_of_time(text: str) -> timedelta:
    """A length such as `30d` or `2 days ago`. Raises `ValueError` with what to write instead."""
    found = re.fullmatch(_LENGTH, text.strip())
    if found is None:
        raise ValueError(
            f"`{text}` is no length of time: write a number with s, m, h, d or w, such as 30d"
        )
    return timedelta(seconds=min(int(found[1]) * _SECONDS[found[2] or found[3][0]], _LONGEST))


def point_in_time(text: str) -> timedelta | datetime:
    """So long ago, or a date with or without a time. Raises `ValueError`, likewise."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return length_of_time(text)
    except ValueError:
        raise ValueError(
            f"`{text}` is no point in time: write how long ago, such as 12h or `2 days ago`,"
            " or a date, such as 2026-03-31 or 2026-03-31T12:00"
        ) from None


def stamp_of(point: timedelta | datetime | None, zone: tzinfo) -> str | None:
    """A point in time as the ledger writes it; a time without a zone is the project's."""
    if point is None:
        return None
    if isinstance(point, timedelta):
        return stamp(datetime.now(UTC) - point)
    aware = point if point.tzinfo else point.replace(tzinfo=zone)
    try:
        return stamp(aware.astimezone(UTC))
    except OverflowError:  # the first or last day of the calendar, moved by a zone
        return stamp(point.replace(tzinfo=UTC))


def ago(at: datetime) -> str:
    """How long ago an instant was, or in how long it will be: `3 minutes ago`, `in 2 hours`."""
    seconds = (datetime.now(UTC) - at).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """A length of time in its largest unit: `1 second`, `12 minutes`, `3 days`."""
    unit, length = next((u for u in _UNITS if seconds >= u[1]), _UNITS[-1])
    count = max(int(seconds // length), 1)
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
