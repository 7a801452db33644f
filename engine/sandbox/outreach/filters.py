"""Filters of a list as SQL conditions: the older syntax of values and ranges, and the newer one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from dsl.schema import Field, Kind
from engine.sandbox.outreach.errors import ApiError, unsuitable
from engine.sandbox.outreach.parameters import Parameters, shown
from engine.sandbox.outreach.resources import Resource
from engine.stores.local.org import folded
from engine.stores.local.stamps import instant
from engine.stores.local.tables import quoted, shape

__all__ = ["Condition", "column", "conditions"]

#: SQL over the row `t`, and its values.
Condition = tuple[str, list[Any]]

_NULL, _NOT_NULL = "__null__", "__notnull__"
_OPEN = ("inf", "neginf")
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,12})?")
_NEVER: Condition = ("0", [])
_MOST_VALUES = 1000
#: Relationships that another type's records make, and that filter a list all the same.
_THROUGH = {
    ("opportunity", "prospect"): ("opportunityProspectRole", "prospect", "opportunity"),
    ("prospect", "opportunity"): ("opportunityProspectRole", "opportunity", "prospect"),
}


def column(name: str) -> str:
    """A field's SQL. The org keeps `updatedAt` as the row's stamp, too, which has an index."""
    return "t._stamp" if name == "updatedAt" else f"t.{quoted(name)}"


def conditions(
    resource: Resource, given: Parameters, made: Callable[[str], bool]
) -> list[Condition]:
    """What all filters of a request ask for; `made` says whether a type has a table.

    Raises `ApiError` for what cannot be filtered, or a value that fits no such field.
    """
    new = given.flag("newFilterSyntax", default=False)
    found = []
    for key, values in given.of("filter"):
        found.append(_condition(resource, key, values, new, made))
    return found


def _condition(
    resource: Resource,
    key: tuple[str, ...],
    values: list[str],
    new: bool,
    made: Callable[[str], bool],
) -> Condition:
    name, rest = key[0], list(key[1:])
    field = resource.object.fields.get(name)
    through = _THROUGH.get((resource.type, name))
    if (field is None or field.many) and through is not None:
        return _through(through, _ids(key, rest, values, new), made)
    if field is None or field.many:
        raise _refused(key, f"'{name}' is not a filter of {resource.type}.")
    if field.vendor_type == "relationship":
        if rest[:1] != ["id"]:
            raise _refused(key, f"'{name}' can only be filtered by its id, as filter[{name}][id].")
        rest = rest[1:]
    elif not field.filterable:
        raise _refused(key, f"'{name}' cannot be filtered.")
    return _compared(field, key, rest, values, new)


def _refused(key: tuple[str, ...], detail: str) -> ApiError:
    return unsuitable(detail, shown(("filter", *key)))


def _ids(key: tuple[str, ...], rest: list[str], values: list[str], new: bool) -> list[Any]:
    if rest[:1] != ["id"] or rest[1:] not in ([], [""]):
        raise _refused(key, f"'{key[0]}' can only be filtered by its id, as filter[{key[0]}][id].")
    texts = values if new else values[-1].split(",")
    return [_parsed(Kind.REFERENCE, key, text) for text in texts]


def _through(
    through: tuple[str, str, str], ids: list[Any], made: Callable[[str], bool]
) -> Condition:
    type_name, by, target = through
    if not made(type_name):
        return _NEVER
    inner = f"SELECT {quoted(target)} FROM {quoted(type_name)} WHERE {quoted(by)} IN"
    return f"t.id IN ({inner} (SELECT value FROM json_each(?)))", [json.dumps(ids)]


def _compared(
    field: Field, key: tuple[str, ...], rest: list[str], values: list[str], new: bool
) -> Condition:
    if new and rest and rest[0] in _COMPARE and len(rest) == 1:
        return _bounded(field, key, _COMPARE[rest[0]], values[-1])
    if rest not in ([], [""]):
        raise _refused(key, f"'{rest[0]}' is not a way to filter '{key[0]}'.")
    if new:
        return _one_of(field, key, values if rest else values[-1:])
    text = values[-1]
    low, dots, high = text.partition("..")
    if dots:
        return _between(field, key, low, high)
    return _one_of(field, key, text.split(","))


def _between(field: Field, key: tuple[str, ...], low: str, high: str) -> Condition:
    found = []
    if low not in ("neginf", ""):
        found.append(_bounded(field, key, ">=", low))
    if high not in ("inf", ""):
        found.append(_bounded(field, key, "<=", high))
    if not found:
        return f"{column(field.name)} IS NOT NULL", []
    return " AND ".join(sql for sql, _ in found), [v for _, values in found for v in values]


def _bounded(field: Field, key: tuple[str, ...], operator: str, text: str) -> Condition:
    if shape(field) != "plain":
        raise _refused(key, f"'{field.name}' has no order, and takes no range.")
    value = _parsed(field.kind, key, text)
    return f"{column(field.name)} {operator} ?", [value]


def _one_of(field: Field, key: tuple[str, ...], texts: Sequence[str]) -> Condition:
    if len(texts) > _MOST_VALUES:
        raise _refused(key, f"'{field.name}' takes at most {_MOST_VALUES:,} values.")
    if _NOT_NULL in texts:
        return f"NOT {_is_null(field)}", []
    plain = [_parsed(field.kind, key, text) for text in texts if text != _NULL]
    found, values = [], []
    if _NULL in texts:
        found.append(_is_null(field))
    if plain:
        sql, listed = _equals(field, plain)
        found.append(sql)
        values += listed
    return f"({' OR '.join(found)})", values


def _is_null(field: Field) -> str:
    if shape(field) == "json":
        return f"(coalesce({column(field.name)}, '[]') = '[]')"
    return f"({column(field.name)} IS NULL)"


def _equals(field: Field, values: list[Any]) -> Condition:
    sql, marks = column(field.name), ", ".join("?" * len(values))
    if shape(field) == "json":
        inner = f"SELECT 1 FROM json_each({sql}) AS e"
        return f"EXISTS ({inner} WHERE folded(e.value) IN ({marks}))", values
    if shape(field) == "boolean":
        return f"coalesce({sql}, 0) IN ({marks})", values
    if field.kind is Kind.TEXT:
        return f"folded({sql}) IN ({marks})", [folded(v) for v in values]
    return f"{sql} IN ({marks})", values


def _parsed(kind: Kind, key: tuple[str, ...], text: str) -> Any:
    """A value in the form that the org keeps. Raises `ApiError`."""
    match kind:
        case Kind.NUMBER if _NUMBER.fullmatch(text):
            return float(text) if "." in text else int(text)
        case Kind.ID | Kind.REFERENCE if _NUMBER.fullmatch(text) and "." not in text:
            return int(text)
        case Kind.BOOLEAN if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case Kind.DATETIME if (moment := _moment(text)) is not None:
            return moment
        case Kind.DATE if _is_date(text):
            return text
        case Kind.LIST:
            return folded(text)
        case Kind.TEXT:
            return text
    raise _refused(key, f"'{text[:80]}' is not a value of '{key[0]}'.")


def _moment(text: str) -> str | None:
    """A date, or a date and time, as a stamp. A `+` that was not escaped has come as a space."""
    if _is_date(text):
        return f"{text}T00:00:00.000Z"
    text = text.replace(" ", "+")
    return instant(text) or instant(f"{text}Z")


def _is_date(text: str) -> bool:
    try:
        return _DATE.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False
