"""Values as FORMAT writes them, for the locale en_US, the currency USD, and the time zone GMT."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from dsl.schema import Field, Kind

__all__ = ["formatted"]


def formatted(field: Field, value: Any) -> Any:
    """A field's value as text; what has no other form is left as it is."""
    if value is None or isinstance(value, bool):
        return value
    match field.kind:
        case Kind.NUMBER:
            return _number(field.vendor_type, value)
        case Kind.DATE:
            return _day(date.fromisoformat(value))
        case Kind.DATETIME:
            moment = datetime.fromisoformat(value)
            return f"{_day(moment)}, {moment.hour % 12 or 12}:{moment:%M %p}"
    return value


def _number(word: str, value: float) -> str:
    if word == "currency":
        return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
    text = f"{value:,}"
    return f"{text.removesuffix('.0')}%" if word == "percent" else text.removesuffix(".0")


def _day(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"
