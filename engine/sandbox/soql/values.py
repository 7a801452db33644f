"""Literals of a condition as values of the field that they are compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from math import isfinite

from dsl.schema import Kind
from engine.sandbox.soql.days import range_of
from engine.sandbox.soql.errors import SoqlError, malformed, pointed
from engine.sandbox.soql.scope import Place
from engine.sandbox.soql.strings import text_of
from engine.sandbox.soql.tree import Literal
from engine.stores.local.ids import checked_id
from engine.stores.local.opening import folded
from engine.stores.local.stamps import stamp

__all__ = ["Days", "Reader", "Value"]

_WORDS = {"datetime": "dateTime", "reference": "id"}


@dataclass(frozen=True, slots=True)
class Days:
    """A date literal: from the first day on, up to and without the second, in the field's form."""

    start: str
    end: str


Value = str | int | float | bool | Days | None


class Reader:
    """Reads the literals of one query; `today` (in UTC) is asked where one needs the day."""

    def __init__(self, text: str, today: Callable[[], date]) -> None:
        self._text, self._ask = text, today

    @cached_property
    def _today(self) -> date:
        return self._ask()

    def value(self, place: Place, literal: Literal) -> Value:
        """A literal for a field: texts folded, ids in 18 characters, instants as stamps.

        Raises `SoqlError` for one of another type, in the vendor's words.
        """
        if literal.kind == "NAME" and literal.text.lower() == "null":
            return None
        match place.field.kind:
            case Kind.BOOLEAN:
                return self._boolean(place, literal)
            case Kind.NUMBER:
                return self._number(place, literal)
            case Kind.DATE | Kind.DATETIME:
                return self._time(place, literal)
            case Kind.ID | Kind.REFERENCE:
                return self._id(place, literal)
            case _:
                return str(folded(self.string(place, literal)))

    def string(self, place: Place, literal: Literal) -> str:
        """The text of a literal that has to be one. Raises `SoqlError`."""
        if literal.kind != "STRING":
            raise self._mistyped(place, literal)
        return text_of(literal, self._text)

    def _boolean(self, place: Place, literal: Literal) -> Value:
        word = literal.text.lower()
        if literal.kind != "NAME" or word not in ("true", "false"):
            raise self._mistyped(place, literal)
        return word == "true"

    def _number(self, place: Place, literal: Literal) -> Value:
        text = literal.text
        if literal.kind == "CURRENCY" and place.field.vendor_type == "currency":
            text = text[3:]
        elif literal.kind != "NUMBER":
            raise self._mistyped(place, literal)
        number = float(text)
        if not isfinite(number):
            raise malformed(f"Invalid number: {text[:80]}", self._text, literal.at)
        whole = text.lstrip("+-").isdigit() and abs(number) < 1 << 53
        return int(text) if whole else number

    def _id(self, place: Place, literal: Literal) -> Value:
        text = self.string(place, literal)
        if text == "":
            return None
        found = checked_id(text)
        if found is None:
            message = f"invalid ID field: {text}"
            raise pointed("INVALID_QUERY_FILTER_OPERATOR", message, self._text, literal.at)
        return found

    def _time(self, place: Place, literal: Literal) -> Value:
        dated = place.field.kind is Kind.DATE
        if literal.kind in ("NAME", "COUNTED"):
            found = range_of(literal.text, self._today)
            if found is not None:
                start, end = (day.isoformat() for day in found)
                return Days(start, end) if dated else Days(f"{start}T", f"{end}T")
        try:
            if dated and literal.kind == "DATE":
                return date.fromisoformat(literal.text).isoformat()
            if not dated and literal.kind == "DATETIME":
                return stamp(datetime.fromisoformat(literal.text.upper()).astimezone(UTC))
        except (ValueError, OverflowError):
            raise malformed(f"Invalid date: {literal.text}", self._text, literal.at) from None
        raise self._mistyped(place, literal)

    def _mistyped(self, place: Place, literal: Literal) -> SoqlError:
        field = place.field
        names = literal.kind == "NAME" and literal.text.lower() not in ("true", "false")
        if names and range_of(literal.text, self._today) is None:
            return malformed(f"unexpected token: '{literal.text}'", self._text, literal.at)
        text = field.kind in (Kind.TEXT, Kind.ID, Kind.REFERENCE)
        word = "string" if field.kind is Kind.TEXT else field.vendor_type
        quotes = "should be enclosed in quotes" if text else "should not be enclosed in quotes"
        message = (
            f"value of filter criterion for field '{field.name}' must be of type"
            f" {_WORDS.get(word, word)} and {quotes}"
        )
        return pointed("INVALID_FIELD", message, self._text, literal.at)
