"""The functions of SOQL as SQL: parts of dates, and aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from dsl.schema import Field, Kind
from engine.sandbox.soql.errors import pointed
from engine.sandbox.soql.scope import Place, Scope, instant_sql
from engine.sandbox.soql.tree import Call, Operand, Path

__all__ = ["AGGREGATES", "DATE_PARTS", "PRESENTED", "aggregated", "operand_place", "refuse_for"]

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
#: Functions in a SELECT that give the field in another form, under the field's own name.
PRESENTED = frozenset({"TOLABEL", "FORMAT", "CONVERTCURRENCY"})

_MONTH = "CAST(substr({0}, 6, 2) AS INTEGER)"
_YEAR = "CAST(substr({0}, 1, 4) AS INTEGER)"
_DAY = "CAST(substr({0}, 9, 2) AS INTEGER)"
_OF_YEAR = "CAST(strftime('%j', substr({0}, 1, 10)) AS INTEGER)"

#: Date functions, by the SOQL reference; fiscal years are those of the calendar. All in UTC.
DATE_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "CALENDAR_MONTH": _MONTH,
        "CALENDAR_QUARTER": f"(({_MONTH} + 2) / 3)",
        "CALENDAR_YEAR": _YEAR,
        "DAY_IN_MONTH": _DAY,
        "DAY_IN_WEEK": "(CAST(strftime('%w', substr({0}, 1, 10)) AS INTEGER) + 1)",
        "DAY_IN_YEAR": _OF_YEAR,
        "DAY_ONLY": "substr({0}, 1, 10)",
        "FISCAL_MONTH": _MONTH,
        "FISCAL_QUARTER": f"(({_MONTH} + 2) / 3)",
        "FISCAL_YEAR": _YEAR,
        "HOUR_IN_DAY": "CAST(substr({0}, 12, 2) AS INTEGER)",
        "WEEK_IN_MONTH": f"(({_DAY} + 6) / 7)",
        "WEEK_IN_YEAR": f"(({_OF_YEAR} + 6) / 7)",
    }
)
_OF_DATETIMES = {"DAY_ONLY", "HOUR_IN_DAY"}
_LONG = 255  # a text area beyond it cannot be filtered, sorted or grouped
_NOT_GROUPED = {"double", "currency", "percent", "datetime", "multipicklist"}


def refuse_for(place: Place, use: str, scope: Scope, at: int) -> None:
    """Refuse a field that cannot be `filtered`, `sorted` or `grouped`. Raises `SoqlError`."""
    field = place.field
    long = field.vendor_type == "textarea" and field.length > _LONG
    never = field.kind is Kind.OBJECT or field.vendor_type in ("base64", "encryptedstring")
    if long or never or (use == "grouped" and field.vendor_type in _NOT_GROUPED):
        message = f"field '{field.name}' can not be {use} in a query call"
        raise pointed("INVALID_FIELD", message, scope.text, at)


def operand_place(operand: Operand, scope: Scope, use: str) -> Place:
    """What a field or a date function reads where it is to be `use`d. Raises `SoqlError`."""
    if isinstance(operand, Path):
        place = scope.place(operand)
        refuse_for(place, use, scope, operand.at)
        return place
    template = DATE_PARTS.get(operand.name)
    argument = operand.argument
    if operand.name == "TOLABEL" and use == "filtered" and isinstance(argument, Path):
        return scope.place(argument)  # a picklist's labels are its values
    if isinstance(argument, Call) and argument.name == "CONVERTTIMEZONE":
        argument = argument.argument  # the one user's zone is UTC
    if template is None or not isinstance(argument, Path):
        message = f"unexpected token: '{operand.name}'"
        raise pointed("MALFORMED_QUERY", message, scope.text, operand.at)
    place = scope.place(argument)
    kinds = (Kind.DATETIME,) if operand.name in _OF_DATETIMES else (Kind.DATE, Kind.DATETIME)
    if place.field.kind not in kinds:
        message = f"field {place.field.name} does not support the function {operand.name}"
        raise pointed("INVALID_FIELD", message, scope.text, argument.at)
    text = instant_sql(place) if place.field.kind is Kind.DATETIME else place.sql
    kind, word = (Kind.DATE, "date") if operand.name == "DAY_ONLY" else (Kind.NUMBER, "int")
    made = Field(place.field.name, place.field.label, kind, word)
    return Place(template.format(f"({text})"), made)


def aggregated(call: Call, scope: Scope) -> Place:
    """What an aggregate function gives. Raises `SoqlError`."""
    name, argument = call.name, call.argument
    number = Field(name, name, Kind.NUMBER, "int")
    if argument is None:
        if name != "COUNT":
            raise pointed("MALFORMED_QUERY", "unexpected token: ')'", scope.text, call.at)
        return Place("count(*)", number, certain=True)
    place = operand_place(argument, scope, "aggregated")
    field = place.field
    summed = name in ("SUM", "AVG")
    if (summed and field.kind is not Kind.NUMBER) or (
        name in ("MIN", "MAX") and field.kind is Kind.BOOLEAN
    ):
        message = f"field {field.name} does not support aggregate operator {name}"
        raise pointed("MALFORMED_QUERY", message, scope.text, call.at)
    if name == "COUNT":
        return Place(f"count(nullif({place.sql}, ''))", number, certain=True)
    if name == "COUNT_DISTINCT":
        text = f"folded(nullif({place.sql}, ''))" if field.kind is Kind.TEXT else place.sql
        return Place(f"count(DISTINCT {text})", number, certain=True)
    if field.kind is Kind.DATETIME:
        found = f"{name.lower()}({instant_sql(place)})"
        return Place(f"(substr({found}, 1, 23) || '+0000')", field)
    return replace(place, sql=f"{name.lower()}({place.sql})", certain=False, stamp=None)
