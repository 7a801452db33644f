"""Conditions as SQL with two truth values, as SOQL has them: what is compared with null is false.

Text compares without regard to case. `= null` also finds empty text, and `!= 'x'` finds null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dsl.schema import Kind
from engine.sandbox.soql.errors import SoqlError, malformed, pointed
from engine.sandbox.soql.functions import AGGREGATES, aggregated, operand_place
from engine.sandbox.soql.scope import Place, Scope, instant_sql, type_named
from engine.sandbox.soql.strings import pattern_of
from engine.sandbox.soql.tree import (
    Among,
    Call,
    Comparison,
    Condition,
    Every,
    Includes,
    Like,
    Literal,
    Negation,
    Operand,
    Path,
    Plain,
    Query,
    Some,
    Within,
)
from engine.sandbox.soql.values import Days, Reader, Value

__all__ = ["Conditions", "sortable"]

_DEEPEST = 100  # conditions in each other; SQLite takes 1,000
_NOT_ON_TOP = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested"
    " WHERE expressions."
)
_MOST_JOINS = 2  # semi- and anti-joins in one query
_NO_ORDER = (Kind.BOOLEAN,)
#: What a subquery of a semi-join may not have, by the SOQL reference.
_BARRED = ("group", "having", "order", "offset")


def sortable(place: Place) -> str:
    """SQL of a field by which it is compared and sorted."""
    match place.field.kind:
        case Kind.DATETIME:
            return instant_sql(place)
        case Kind.BOOLEAN:
            return f"coalesce({place.sql}, 0)"
        case Kind.TEXT:
            # What is empty is null to Salesforce.
            return f"nullif(folded({place.sql}), '')"
        case _:
            return place.sql


def _looked_up(place: Place) -> str:
    """SQL of a field that is to equal a value which is not empty; an index may have it."""
    return f"folded({place.sql})" if place.field.kind is Kind.TEXT else sortable(place)


class Conditions:
    """Puts conditions of one SELECT into SQL; `values` are those of its `?`, in their order.

    `sought` are the type's own text fields of which the condition names the values.
    """

    def __init__(self, scope: Scope, reader: Reader, *, inner: bool = False) -> None:
        self._scope, self._reader, self._inner = scope, reader, inner
        self._joins = 0
        self._having = False
        self.values: list[Any] = []
        self.sought: set[str] = set()

    def where(self, condition: Condition) -> str:
        """SQL that holds where the condition does. Raises `SoqlError`."""
        self._see_joins(condition)
        for part in condition.conditions if isinstance(condition, Every) else (condition,):
            self._note_sought(part)
        return self._sql(condition, sure=False, depth=0)

    def _see_joins(self, condition: Condition) -> None:
        """See that semi-joins stand on top, or in what AND joins there. Raises `SoqlError`."""
        parts = condition.conditions if isinstance(condition, Every) else (condition,)
        if isinstance(condition, Some):
            parts = condition.conditions
            if found := next((p for p in parts if isinstance(p, Within)), None):
                message = "Semi join sub-selects are not allowed with the 'OR' operator"
                raise malformed(message, self._scope.text, found.operand.at)
        if found := next((j for p in parts for j in _joins_below(p)), None):
            raise malformed(_NOT_ON_TOP, self._scope.text, found.operand.at)

    def _note_sought(self, condition: Condition) -> None:
        match condition:
            case Comparison(operand=Path() as path, operator="="):
                pass
            case Among(operand=Path() as path, holds=True):
                pass
            case _:
                return
        place = self._scope.place(path)
        own = len(self._scope.trail(path)) == 1
        if own and place.field.kind is Kind.TEXT:
            self.sought.add(place.field.name)

    def having(self, condition: Condition) -> str:
        """As `where`, of groups."""
        self._having = True
        return self._sql(condition, sure=False, depth=0)

    def _sql(self, condition: Condition, sure: bool, depth: int) -> str:
        """`sure` asks for SQL that is never null, as it has to be under a NOT."""
        if depth > _DEEPEST:
            raise SoqlError("MALFORMED_QUERY", "the conditions are nested too deeply")
        match condition:
            case Every(conditions=parts):
                return self._joined(" AND ", parts, sure, depth)
            case Some(conditions=parts):
                if not sure and (found := self._behind(parts)) is not None:
                    return found
                return self._joined(" OR ", parts, sure, depth)
            case Negation(condition=inner):
                return f"(NOT {self._sql(inner, True, depth + 1)})"
            case Within():
                return self._within(condition)
            case _:
                place = self._place(condition.operand)
                sql = self._leaf(condition, place)
                return f"coalesce({sql}, 0)" if sure and not place.certain else sql

    def _joined(self, word: str, parts: tuple[Condition, ...], sure: bool, depth: int) -> str:
        return f"({word.join(self._sql(part, sure, depth + 1) for part in parts)})"

    def _place(self, operand: Operand) -> Place:
        if isinstance(operand, Call) and operand.name in AGGREGATES:
            if not self._having:
                message = f"unexpected token: '{operand.name}'"
                raise malformed(message, self._scope.text, operand.at)
            return aggregated(operand, self._scope)
        return operand_place(operand, self._scope, "filtered")

    # -- comparisons ----------------------------------------------------------------------------

    def _leaf(self, condition: Comparison | Like | Among | Includes, place: Place) -> str:
        match condition:
            case Comparison(operand=operand, operator=operator, value=literal):
                self._refuse_operator(place, operator, operand)
                value = self._reader.value(place, literal)
                return self._compared(place, operator, value)
            case Like(operand=operand, value=literal):
                return self._like(place, operand, literal)
            case Among():
                return self._among(place, condition)
            case Includes():
                return self._includes(place, condition)

    def _compared(self, place: Place, operator: str, value: Value) -> str:
        if value is None or value == "":
            return self._null(place, operator)
        side = _looked_up(place) if operator in ("=", "!=") else sortable(place)
        if isinstance(value, Days):
            return self._in_days(side, operator, value)
        self.values.append(value)
        if operator == "!=":
            return f"{side} IS NOT ?"
        return f"{side} {operator} ?"

    def _null(self, place: Place, operator: str) -> str:
        if operator not in ("=", "!="):
            return "0"
        if place.field.kind is Kind.BOOLEAN:
            return "0" if operator == "=" else "1"
        if place.field.kind is Kind.NUMBER:
            return f"({place.sql} IS {'' if operator == '=' else 'NOT '}NULL)"
        return f"(coalesce({place.sql}, '') {operator} '')"

    def _in_days(self, side: str, operator: str, days: Days) -> str:
        match operator:
            case "=" | "!=":
                self.values += (days.start, days.end)
                within = f"({side} >= ? AND {side} < ?)"
                return within if operator == "=" else f"(NOT coalesce({within}, 0))"
            case "<" | ">=":
                self.values.append(days.start)
                return f"{side} {operator} ?"
            case _:
                self.values.append(days.end)
                return f"{side} {'<' if operator == '<=' else '>='} ?"

    def _like(self, place: Place, operand: Operand, literal: Literal) -> str:
        if place.field.kind is not Kind.TEXT or place.field.vendor_type == "multipicklist":
            word = place.field.vendor_type
            message = f"invalid operator on {'id' if word == 'reference' else word} field"
            raise pointed("INVALID_QUERY_FILTER_OPERATOR", message, self._scope.text, operand.at)
        self._reader.string(place, literal)
        self.values.append(pattern_of(literal, self._scope.text).casefold())
        return f"{sortable(place)} LIKE ? ESCAPE '\\'"

    def _among(self, place: Place, condition: Among) -> str:
        found = [self._reader.value(place, literal) for literal in condition.values]
        plain = [v for v in found if v is not None and v != "" and not isinstance(v, Days)]
        parts = []
        if plain:
            listed = [int(v) if isinstance(v, bool) else v for v in plain]
            self.values.append(json.dumps(listed))
            parts.append(f"{_looked_up(place)} IN (SELECT value FROM json_each(?))")
        if len(plain) < len(found):
            others = [v for v in found if v is None or v == "" or isinstance(v, Days)]
            parts += [self._compared(place, "=", value) for value in others]
        within = parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"
        return within if condition.holds else f"(NOT coalesce({within}, 0))"

    def _includes(self, place: Place, condition: Includes) -> str:
        if place.field.vendor_type != "multipicklist":
            word = "INCLUDES" if condition.holds else "EXCLUDES"
            message = f"{word} operator is not valid on field '{place.field.name}'"
            raise pointed("INVALID_FIELD", message, self._scope.text, condition.operand.at)
        ways = []
        for literal in condition.values:
            chosen = self._reader.string(place, literal).casefold().split(";")
            self.values += (f";{value.strip()};" for value in chosen)
            test = f"instr(';' || folded({place.sql}) || ';', ?) > 0"
            ways.append(" AND ".join([test] * len(chosen)))
        within = f"({' OR '.join(f'({way})' for way in ways)})"
        return within if condition.holds else f"(NOT coalesce({within}, 0))"

    def _refuse_operator(self, place: Place, operator: str, operand: Operand) -> None:
        ordered = operator not in ("=", "!=")
        if ordered and (
            place.field.kind in _NO_ORDER or place.field.vendor_type == "multipicklist"
        ):
            message = f"invalid operator on {place.field.vendor_type} field"
            raise pointed("INVALID_QUERY_FILTER_OPERATOR", message, self._scope.text, operand.at)

    # -- rows behind a cursor -------------------------------------------------------------------

    def _behind(self, parts: tuple[Condition, ...]) -> str | None:
        """`stamp > c OR (stamp = c AND Id > i)` as one comparison, which an index can follow."""
        match parts:
            case (
                Comparison(operand=Path() as one, operator=">", value=first),
                Every(
                    conditions=(
                        Comparison(operand=Path() as two, operator="=", value=second),
                        Comparison(operand=Path() as key, operator=">", value=third),
                    )
                ),
            ):
                pass
            case _:
                return None
        scope, reader = self._scope, self._reader
        stamps, ids = scope.place(one), scope.place(key)
        if stamps != scope.place(two) or stamps.stamp is None or not stamps.certain:
            return None
        values = reader.value(stamps, first), reader.value(stamps, second), reader.value(ids, third)
        if ids.sql != scope.key or values[0] != values[1]:
            return None
        if not all(isinstance(value, str) for value in values):
            return None
        self.values += (values[0], values[2])
        return f"({stamps.stamp}, {scope.key}) > (?, ?)"

    # -- semi-joins -----------------------------------------------------------------------------

    def _within(self, condition: Within) -> str:
        scope, query = self._scope, condition.query
        at = condition.operand.at
        self._joins += 1
        if self._inner:
            raise malformed("Nesting of semi join sub-selects is not supported", scope.text, at)
        if self._joins > _MOST_JOINS:
            raise malformed("maximum 2 semi join sub-selects are allowed", scope.text, at)
        outer = self._place(condition.operand)
        inner, selected = self._subquery(query)
        self._see_keys(condition, outer, inner, selected)
        conditions = Conditions(inner, self._reader, inner=True)
        where = conditions.where(query.where) if query.where is not None else "1"
        self.values += conditions.values
        if not inner.made:
            found = "(SELECT NULL WHERE 0)"
            self.values = self.values[: len(self.values) - len(conditions.values)]
        else:
            found = (
                f"(SELECT {selected.sql} FROM {inner.source('live')}{inner.joins()}"
                f" WHERE {where} AND {selected.sql} IS NOT NULL)"
            )
        sql = f"coalesce({outer.sql} IN {found}, 0)"
        return sql if condition.holds else f"(NOT {sql})"

    def _see_keys(self, condition: Within, outer: Place, inner: Scope, selected: Place) -> None:
        """See that both sides of a semi-join are ids of one type. Raises `SoqlError`."""
        text, operand, item = self._scope.text, condition.operand, condition.query.items[0]
        keys = (Kind.ID, Kind.REFERENCE)
        path = item.operand if isinstance(item, Plain) else operand
        through = isinstance(path, Path) and len(inner.trail(path)) > 1
        if selected.field.kind not in keys or through:
            message = f"Semi join sub-selects can only query id fields, cannot use: '{path}'"
            raise malformed(message, text, path.at)
        if inner.type.name == self._scope.type.name and selected.field.kind is Kind.ID:
            message = "The inner and outer selects should not be on the same object type"
            raise malformed(message, text, condition.query.at)
        found = set(selected.field.references or (inner.type.name,))
        wanted = set(outer.field.references or (self._owner(operand),))
        if outer.field.kind not in keys or not found & wanted:
            message = (
                f"The selected field '{path}' in the subquery and the left operand field"
                f" '{operand}' in the where expression in the outer query should point to the same"
                " object type"
            )
            raise pointed("INVALID_FIELD", message, text, operand.at)

    def _owner(self, operand: Operand) -> str:
        """The type that a path's last field belongs to."""
        names = self._scope.trail(operand) if isinstance(operand, Path) else ()
        if len(names) < 2 or not isinstance(operand, Path):
            return self._scope.type.name
        return self._scope.related(names[:-1], operand).type

    def _subquery(self, query: Query) -> tuple[Scope, Place]:
        text = self._scope.text
        type_ = type_named(self._scope.org, query.type)
        if type_ is None:
            raise unsupported(query.type, text, query.at)
        if len(query.items) != 1 or not isinstance(query.items[0], Plain):
            raise malformed("a semi join sub-select selects one field", text, query.at)
        if query.limit is not None or any(getattr(query, name) for name in _BARRED):
            message = "ORDER BY, GROUP BY and LIMIT are not supported in a semi join sub-select"
            raise malformed(message, text, query.at)
        operand = query.items[0].operand
        inner = Scope(self._scope.org, type_, text, query, f"s{self._joins}_")
        if not isinstance(operand, Path):
            raise malformed(f"unexpected token: '{operand.name}'", text, operand.at)
        return inner, inner.place(operand)


def _joins_below(condition: Condition) -> Iterator[Within]:
    """The semi-joins that lie within a condition, itself not counted."""
    inner: tuple[Condition, ...] = ()
    match condition:
        case Every(conditions=parts) | Some(conditions=parts):
            inner = parts
        case Negation(condition=one):
            inner = (one,)
    for part in inner:
        if isinstance(part, Within):
            yield part
        yield from _joins_below(part)


def unsupported(name: str, text: str, at: int) -> SoqlError:
    """The refusal of a type that the org does not have."""
    message = (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be"
        " sure to append the '__c' after the entity name. Please reference your WSDL or the"
        " describe call for the appropriate names."
    )
    return pointed("INVALID_TYPE", message, text, at)
