"""Values as a test writes them, and as stores hold them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from dsl import syntax as s
from dsl.schema import Field, Kind
from dsl.values import instant, is_empty, stamp
from engine.model import Value
from engine.rule_tests.failures import Unfit

__all__ = ["plain", "shown", "stored"]

_WIDTH = 60
_WANTED = {
    Kind.TEXT: 'text: write it in quotes, as in "Open"',
    Kind.NUMBER: "a number: write it without quotes",
    Kind.BOOLEAN: "true or false, without quotes",
    Kind.DATE: "a date, as in 2026-11-23",
    Kind.DATETIME: "a date-time, as in 2026-11-23T09:30:00Z",
    Kind.REFERENCE: "a reference: write the name or e-mail address of what it refers to",
}


def plain(node: s.Literal | s.Moment | s.Ago, now: datetime, zone: tzinfo) -> Value:
    """What a written value stands for, dates as ISO text."""
    match node:
        case s.Literal(value=tuple(values)):
            return [_plain(v) for v in values]
        case s.Literal(value=value):
            return _plain(value)
        case s.Moment(word="today"):
            return now.astimezone(zone).date().isoformat()
        case s.Moment():
            return stamp(now)
        case s.Ago(seconds=seconds):
            return stamp(now - timedelta(seconds=seconds))


def _plain(value: object) -> Value:
    if isinstance(value, datetime):
        return stamp(value)
    return value.isoformat() if isinstance(value, date) else value


def stored(field: Field | None, at: s.RecordField, value: Value, zone: tzinfo) -> Value:
    """The value as its field takes it, a reference's name left as it is; an empty text clears.

    Raises `Unfit` for a value of another kind than the field's.
    """
    if field is None:
        return value
    if field.kind is Kind.LIST:
        return value if isinstance(value, list) else [] if value == "" else [value]
    fits = _FITS.get(field.kind)
    if is_empty(value) and not isinstance(value, list):
        return "" if field.kind is Kind.TEXT else None
    if fits is not None and not fits(value):
        raise Unfit(at.value.span, f"`{field.name}` is {_WANTED[field.kind]}")
    if field.kind is Kind.DATE:
        moment = instant(value, zone)
        return moment.astimezone(zone).date().isoformat() if moment else value
    if field.kind is Kind.DATETIME:
        moment = instant(value, zone)
        return stamp(moment) if moment else value
    return value


def _is_date(value: Value) -> bool:
    return isinstance(value, str) and instant(value) is not None


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_FITS: dict[Kind, Any] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.NUMBER: _is_number,
    Kind.BOOLEAN: lambda value: isinstance(value, bool),
    Kind.DATE: _is_date,
    Kind.DATETIME: _is_date,
    Kind.REFERENCE: lambda value: isinstance(value, str | int) and not isinstance(value, bool),
}


def shown(value: Value) -> str:
    """A value as a rule file would write it."""
    match value:
        case None | "":
            return '""'
        case bool():
            return "true" if value else "false"
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case str():
            text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"}"'
        case _:
            return str(value)
