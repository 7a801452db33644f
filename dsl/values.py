"""Values as rules see them: emptiness, one canonical form per kind, and natural conversions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, tzinfo
from math import isfinite
from typing import Any

from dsl.ids import full_id
from dsl.schema import Kind

__all__ = [
    "canonical",
    "canonical_id",
    "canonical_name",
    "convert",
    "first",
    "instant",
    "is_empty",
    "stamp",
    "to_number",
    "to_text",
]

_SECONDS = 19  # len("2026-11-23T09:30:00")


def is_empty(value: Any) -> bool:
    """Empty is null, an empty text or an empty list."""
    return value is None or value == "" or (isinstance(value, list) and not value)


def first(value: Any) -> Any:
    """What a list attribute stands for: its first element; anything else is itself."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def instant(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """A date or date-time, as text or not, as an aware instant; a date is its midnight in `zone`.

    None if the text is neither.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    if isinstance(value, date):
        return _midnight(value, zone)
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        if len(value) == 10:
            return _midnight(date.fromisoformat(value), zone)
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _midnight(day: date, zone: tzinfo) -> datetime | None:
    """In UTC, since an instant that a clock shows twice, or never, equals none of another zone."""
    try:
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except OverflowError:
        return None


def stamp(moment: datetime) -> str:
    """An instant as both systems' stamps are kept: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def to_text(value: Any) -> str | None:
    """The text of a plain value; whole numbers have no decimal point, booleans are words."""
    match first(value):
        case None | "":
            return None
        case bool() as b:
            return "true" if b else "false"
        case float() as f if f.is_integer():
            return str(int(f))
        case other:
            return str(other)


def to_number(value: Any) -> int | float | None:
    """The number that a value is or spells; None if it is none."""
    value = first(value)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def canonical_text(value: Any) -> Any:
    """Text trimmed as the vendors trim it, with no difference between empty and null."""
    return (value.strip() or None) if isinstance(value, str) else value


def canonical_email(value: Any) -> Any:
    return (value.strip().casefold() or None) if isinstance(value, str) else value


def canonical_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def canonical_boolean(value: Any) -> bool:
    """A checkbox knows no third state: Salesforce never has null, Outreach sometimes."""
    return value is True


def canonical_date(value: Any) -> Any:
    return value[:10] if value else None


def canonical_datetime(value: Any) -> Any:
    """UTC to the second, which is the precision that both sides store."""
    if not value:
        return None
    if value.endswith(("Z", "+0000")):
        return value[:_SECONDS] + "Z"
    moment = instant(value)
    return moment.astimezone(UTC).isoformat()[:_SECONDS] + "Z" if moment else value


def canonical_any(value: Any) -> Any:
    """For a custom field whose kind is only known by its value."""
    if isinstance(value, list):
        return [canonical_any(v) for v in value] or None
    return canonical_number(canonical_text(value))


def canonical_id(value: Any) -> Any:
    """An id of Salesforce in its 18 characters; one of Outreach is a number."""
    return (full_id(value.strip()) or None) if isinstance(value, str) else value


def _canonical_list(value: Any) -> Any:
    return canonical_any(first(value))


def _canonical_emails(value: Any) -> Any:
    return canonical_email(first(value))


def _canonical_object(value: Any) -> Any:
    return value or None


_CANONICAL: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: canonical_text,
    Kind.NUMBER: canonical_number,
    Kind.BOOLEAN: canonical_boolean,
    Kind.DATE: canonical_date,
    Kind.DATETIME: canonical_datetime,
    Kind.REFERENCE: canonical_id,
    Kind.ID: canonical_id,
    Kind.LIST: _canonical_list,
    Kind.OBJECT: _canonical_object,
    Kind.UNKNOWN: canonical_any,
}


def canonical(kind: Kind, is_email: bool = False) -> Callable[[Any], Any]:
    """The function that brings a field's values into the form in which they are compared."""
    if is_email:
        return _canonical_emails if kind is Kind.LIST else canonical_email
    return _CANONICAL[kind]


def canonical_name(value: Any) -> Any:
    """How text finds its like in a match: trimmed and case-folded; an empty value is None."""
    value = first(value)
    if isinstance(value, str):
        return value.strip().casefold() or None
    return canonical_number(value)


def convert(value: Any, source: Kind, target: Kind, zone: tzinfo = UTC) -> Any:
    """A value of one kind as the other side's field takes it; None where it has no such form.

    Lists are not handled here: a list attribute is written by the one who knows its other elements.
    """
    if source is Kind.LIST:
        value, source = first(value), Kind.UNKNOWN
    if is_empty(value):
        return None
    if source is target or Kind.UNKNOWN in (source, target):
        return value
    match target:
        case Kind.TEXT:
            return to_text(value)
        case Kind.NUMBER:
            return to_number(value)
        case Kind.DATE:
            moment = instant(value, zone)
            return moment.astimezone(zone).date().isoformat() if moment else None
        case Kind.DATETIME:
            moment = instant(value, zone)
            return stamp(moment) if moment else None
        case _:
            return value
