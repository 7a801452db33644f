"""Filters of a list as SQL conditions: the older syntax of values and ranges, and the newer one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dsl.schema import Field, Kind
from engine.sandbox.outreach.errors import ApiError, unsuitable
from engine.sandbox.outreach.parameters import Parameters, shown
from engine.sandbox.outreach.resources import Resource
from engine.stores.local.opening import folded
from engine.stores.local.org import OrgFile
from engine.stores.local.reading import is_large, see_index
from engine.stores.local.stamps import instant
from engine.stores.local.tables import quoted, shape

__all__ = ["Condition", "column", "conditions"]

#: SQL over the row `t`, and its values.
Condition = tuple[str, list[Any]]

_NULL, _NOT_NULL = "__null__", "__notnull__"
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,12})?")
_NEVER: Condition = ("0", [])
_MOST_VALUES = 1000
#: What a search by `filter[q]` looks at.
_SEARCHED = {
    "account": ("name", "domain", "customId"),
    "prospect": ("firstName", "lastName", "name", "emails", "company", "title"),
}
#: Relationships that another type's records make, and that filter a list all the same.
_THROUGH = {
    ("opportunity", "prospect"): ("opportunityProspectRole", "prospect", "opportunity"),
    ("prospect", "opportunity"): ("opportunityProspectRole", "opportunity", "prospect"),
}


def column(name: str) -> str:
    """A field's SQL. The org keeps `updatedAt` as the row's stamp, too, which has an index."""
    return "t._stamp" if name == "updatedAt" else f"t.{quoted(name)}"


def conditions(org: OrgFile, resource: Resource, given: Parameters) -> list[Condition]:
    """What all filters of a request ask for.

    Raises `ApiError` for what cannot be filtered, or a value that fits no such field.
    """
    new = given.flag("newFilterSyntax", default=False)
    return [
        _Filter(org, resource, key, values, new).condition() for key, values in given.of("filter")
    ]


@dataclass(frozen=True)
class _Filter:
    """One filter: `key` are the words in its brackets, `new` says which syntax it is in."""

    org: OrgFile
    resource: Resource
    key: tuple[str, ...]
    values: list[str]
    new: bool

    def condition(self) -> Condition:
        name, rest = self.key[0], self.key[1:]
        if name == "q" and self.resource.type in _SEARCHED and rest in ((), ("",)):
            return self._found(self.values[-1])
        field = self.resource.object.fields.get(name)
        if field is None or field.many:
            through = _THROUGH.get((self.resource.type, name))
            if through is None:
                raise self._refused(f"'{name[:80]}' is not a filter of {self.resource.type}.")
            return self._through(*through)
        if field.vendor_type == "relationship":
            rest = self._after_id()
        elif not field.filterable:
            raise self._refused(f"'{name}' cannot be filtered.")
        return self._compared(field, rest)

    def _refused(self, detail: str) -> ApiError:
        return unsuitable(detail, shown(("filter", *self.key)))

    def _after_id(self) -> tuple[str, ...]:
        """What follows in brackets after a relationship's `[id]`."""
        name = self.key[0]
        if self.key[1:2] != ("id",):
            raise self._refused(f"'{name}' can only be filtered by its id, as filter[{name}][id].")
        return self.key[2:]

    def _through(self, type_name: str, by: str, target: str) -> Condition:
        if self._after_id() not in ((), ("",)):
            raise self._refused(f"'{self.key[0]}' takes no range.")
        texts = self.values if self.new else self.values[-1].split(",")
        ids = [self._parsed(Kind.REFERENCE, text) for text in texts]
        if not self.org.made(type_name):
            return _NEVER
        inner = f"SELECT {quoted(target)} FROM {quoted(type_name)} WHERE {quoted(by)} IN"
        return f"t.id IN ({inner} (SELECT value FROM json_each(?)))", [json.dumps(ids)]

    def _found(self, term: str) -> Condition:
        """Records with a word that begins so, or with a value that is just so (`_Acme_`)."""
        exact = len(term) > 2 and term[0] == term[-1] == "_"
        text = str(folded(term[1:-1] if exact else term))
        if not text:
            raise self._refused("'q' needs a text to look for.")
        fields = [self.resource.attributes[name] for name in _SEARCHED[self.resource.type]]
        test = "folded(e.value) = ?" if exact else "instr(' ' || folded(e.value), ?) > 0"
        listed = ", ".join(
            f"(SELECT group_concat(value, ' ') FROM json_each({column(f.name)}))"
            if shape(f) == "json"
            else column(f.name)
            for f in fields
        )
        sql = f"EXISTS (SELECT 1 FROM json_each(json_array({listed})) AS e WHERE {test})"
        return sql, [text if exact else f" {text}"]

    # -- values and ranges ----------------------------------------------------------------------

    def _compared(self, field: Field, rest: tuple[str, ...]) -> Condition:
        if self.new and len(rest) == 1 and rest[0] in _COMPARE:
            return self._bounded(field, _COMPARE[rest[0]], self.values[-1])
        if rest not in ((), ("",)):
            raise self._refused(f"'{rest[0][:80]}' is not a way to filter '{self.key[0]}'.")
        if self.new:
            return self._one_of(field, self.values if rest else self.values[-1:])
        low, dots, high = self.values[-1].partition("..")
        if dots:
            return self._between(field, low, high)
        # Commas at the end stand for nothing, as clients leave them.
        return self._one_of(field, self.values[-1].rstrip(",").split(","))

    def _between(self, field: Field, low: str, high: str) -> Condition:
        found = []
        if low not in ("neginf", ""):
            found.append(self._bounded(field, ">=", low))
        if high not in ("inf", ""):
            found.append(self._bounded(field, "<=", high))
        if not found:
            return f"{column(field.name)} IS NOT NULL", []
        return " AND ".join(sql for sql, _ in found), [v for _, values in found for v in values]

    def _bounded(self, field: Field, operator: str, text: str) -> Condition:
        if shape(field) != "plain":
            raise self._refused(f"'{field.name}' has no order, and takes no range.")
        return f"{column(field.name)} {operator} ?", [self._parsed(field.kind, text)]

    def _one_of(self, field: Field, texts: Sequence[str]) -> Condition:
        if len(texts) > _MOST_VALUES:
            raise self._refused(f"'{field.name}' takes at most {_MOST_VALUES:,} values.")
        if _NOT_NULL in texts:
            return f"NOT {_is_null(field)}", []
        plain = [self._parsed(field.kind, text) for text in texts if text != _NULL]
        found, values = [], []
        if _NULL in texts:
            found.append(_is_null(field))
        if plain:
            sql, listed = self._equals(field, plain)
            found.append(sql)
            values += listed
        return f"({' OR '.join(found)})", values

    def _equals(self, field: Field, values: list[Any]) -> Condition:
        sql, marks = column(field.name), ", ".join("?" * len(values))
        if shape(field) == "json":
            if field.unique:  # then the org knows which record has which element
                inner = "SELECT id FROM element WHERE type = ? AND attribute = ? AND folded IN"
                return f"t.id IN ({inner} ({marks}))", [self.resource.type, field.name, *values]
            inner = f"SELECT 1 FROM json_each({sql}) AS e"
            return f"EXISTS ({inner} WHERE folded(e.value) IN ({marks}))", values
        if shape(field) == "boolean":
            return f"coalesce({sql}, 0) IN ({marks})", values
        if field.kind is Kind.TEXT:
            self._see_index(field)
            return f"folded({sql}) IN ({marks})", [folded(v) for v in values]
        return f"{sql} IN ({marks})", values

    def _see_index(self, field: Field) -> None:
        """An index, where there are many records; the feed is put together, and has none."""
        name = self.resource.type
        if name != "event" and self.org.made(name):
            table = self.org.table(name)
            if is_large(self.org, table):
                see_index(self.org, table, field.name)

    def _parsed(self, kind: Kind, text: str) -> Any:
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
        raise self._refused(f"'{text[:80]}' is not a value of '{self.key[0]}'.")


def _is_null(field: Field) -> str:
    if shape(field) == "json":
        return f"(coalesce({column(field.name)}, '[]') = '[]')"
    return f"({column(field.name)} IS NULL)"


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
