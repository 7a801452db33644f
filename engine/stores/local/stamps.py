"""Instants as the two vendors write them, and as the change stamp of a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dsl.schema import Side
from engine.clock import SystemClock

__all__ = ["SystemClock", "as_vendor", "between", "instant", "later", "normal_stamp", "stamp"]


def stamp(moment: datetime) -> str:
    """An instant as `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def instant(text: str) -> str | None:
    """A vendor's date-time as a stamp; None if it is none, or has no zone."""
    if len(text) < 16 or text[10] != "T":
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else stamp(moment)
    except (ValueError, OverflowError):
        return None


def normal_stamp(text: str) -> str | None:
    """As `instant`, quick for what the vendors themselves write."""
    if len(text) == 28 and text.endswith(".000+0000"):
        text = text[:23] + "Z"
    return instant(text)


def as_vendor(side: Side, moment: str) -> str:
    """A stamp as the vendor writes a date-time; Salesforce keeps whole seconds."""
    return moment[:19] + ".000+0000" if side is Side.SALESFORCE else moment


def later(moment: str, time: timedelta) -> str:
    """The stamp so much later than another, or earlier."""
    return stamp(datetime.fromisoformat(moment) + time)


def between(start: str, end: str) -> timedelta:
    """The time from one stamp to another."""
    return datetime.fromisoformat(end) - datetime.fromisoformat(start)
