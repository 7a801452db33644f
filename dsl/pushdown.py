"""A condition as a query can say it: a small tree, which may let more through, and never less.

The parts that no query can say (the other side's fields, `changed`, `matches`, functions, fields
that cannot be filtered) become true where they would otherwise hold something back. Negations are
pushed inward first, so that this widens the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from dsl import program as p
from dsl.evaluate import Context, evaluate, kind_of, value_of
from dsl.schema import Kind, Side
from dsl.values import instant, is_empty

__all__ = ["Every", "Is", "Null", "Query", "Some", "Truth", "pushdown"]

Value = str | int | float | bool | date | datetime


@dataclass(frozen=True, slots=True)
class Is:
    """A field against values, of which one must do; if not `holds`, the contrary, nulls included.

    `operator` is `=`, `<`, `<=`, `>`, `>=`, `contains`, `starts with` or `ends with`.
    """

    field: p.FieldRef
    operator: str
    values: tuple[Value, ...]
    holds: bool
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Null:
    """The field is null or an empty text; if not `holds`, it has a value."""

    field: p.FieldRef
    holds: bool
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Truth:
    holds: bool
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Every:
    terms: tuple[Query, ...]

    @property
    def exact(self) -> bool:
        return all(term.exact for term in self.terms)


@dataclass(frozen=True, slots=True)
class Some:
    terms: tuple[Query, ...]

    @property
    def exact(self) -> bool:
        return all(term.exact for term in self.terms)


#: `exact` tells whether the query holds for the very records for which the condition does.
Query = Is | Null | Truth | Every | Some

_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TEMPORAL = (Kind.DATE, Kind.DATETIME)
_NULLABLE = (Kind.TEXT, Kind.NUMBER, Kind.DATE, Kind.DATETIME, Kind.ID, Kind.REFERENCE)
_ANYTHING = Truth(True, exact=False)


def pushdown(condition: p.Condition, side: Side, *, zone: tzinfo, now: datetime) -> Query:
    """What a query of `side` can say of a condition.

    Moving times stand still at `now`: what comes back is to be evaluated at the same `now`.
    """

    def nothing(_: p.FieldRef) -> Any:
        raise LookupError

    return _Pushdown(side, Context(nothing, nothing, now, zone)).query(condition, True)


@dataclass(frozen=True)
class _Pushdown:
    side: Side
    context: Context

    def query(self, condition: p.Condition, wanted: bool) -> Query:
        """What holds for all records for which the condition is `wanted`."""
        match condition:
            case p.All(terms=terms) | p.Any(terms=terms):
                each = [self.query(term, wanted) for term in terms]
                return _joined(each, isinstance(condition, p.All) is wanted)
            case p.Negation(term=term):
                return self.query(term, not wanted)
            case p.Changed():
                return _ANYTHING
            case p.Empty(operand=operand, negated=negated):
                if _is_ground(operand):
                    return Truth(evaluate(condition, self.context) is wanted)
                holds = negated is not wanted
                if isinstance(operand, p.FieldRef) and self._nullable(operand):
                    return Null(operand, holds)
                return _ANYTHING
            case p.Comparison():
                return self._comparison(condition, wanted)

    def _mine(self, operand: p.Expression) -> bool:
        return isinstance(operand, p.FieldRef) and operand.side is self.side and operand.filterable

    def _nullable(self, operand: p.Expression) -> bool:
        return self._mine(operand) and kind_of(operand) in _NULLABLE

    def _comparison(self, c: p.Comparison, wanted: bool) -> Query:
        rights = c.right if isinstance(c.right, tuple) else (c.right,)
        if all(map(_is_ground, (c.left, *rights))):
            return Truth(evaluate(c, self.context) is wanted)
        if _is_ground(c.left) and len(rights) == 1 and c.operator in _FLIPPED:
            c = p.Comparison(c.span, rights[0], _FLIPPED[c.operator], c.negated, c.left)
            rights = (c.right,)  # type: ignore[assignment]
        holds = (c.negated or c.operator == "!=") is not wanted
        operator = "=" if c.operator in ("in", "!=") else c.operator
        field = c.left
        if not isinstance(field, p.FieldRef) or not self._mine(field):
            return _ANYTHING
        said = None
        if all(map(_is_ground, rights)):
            said = self._said(field, operator, rights, holds)
        if said is None and holds and self._nullable(field):
            return Null(field, False, exact=False)  # a comparison with nothing is false
        return said or _ANYTHING

    def _said(
        self, field: p.FieldRef, operator: str, rights: Iterable[p.Expression], holds: bool
    ) -> Query | None:
        """A comparison in the query's words; None if it has none for it."""
        temporal = any(kind_of(e) in _TEMPORAL for e in (field, *rights))
        if temporal is not (field.kind in _TEMPORAL):
            return None
        values = [value_of(right, self.context) for right in rights]
        values = [value for value in values if not is_empty(value)]
        if not values:
            return Truth(not holds)
        if temporal:
            each = [self._temporal(field, operator, value, holds) for value in values]
            good = [query for query in each if query is not None]
            return _joined(good, not holds) if len(good) == len(each) else None
        says = _SAYS.get(field.kind)
        if says is None or not all(says(field, operator, value) for value in values):
            return None
        if field.kind is Kind.BOOLEAN and field.dotted and False in values:
            # Without a parent, a query takes a checkbox for false.
            return Is(field, operator, tuple(values), holds, exact=False) if holds else None
        return Is(field, operator, tuple(values), holds)

    def _temporal(self, field: p.FieldRef, operator: str, value: Any, holds: bool) -> Query | None:
        moment = instant(value, self.context.zone)
        if moment is None or not _EARLIEST <= moment.year <= _LATEST:
            return None
        if field.kind is Kind.DATE:
            return self._day(field, operator, moment, holds)
        moment = moment.astimezone(UTC)
        whole = moment.replace(microsecond=0)
        if whole == moment:
            return Is(field, operator, (whole,), holds)
        if operator == "=":
            return None
        # Queries know whole seconds: the one that lets more through.
        later = (operator[0] == "<") is holds
        return Is(field, operator, (whole + timedelta(seconds=later),), holds, exact=False)

    def _day(self, field: p.FieldRef, operator: str, moment: datetime, holds: bool) -> Query:
        """A date is its midnight, so an instant is compared with as the day that it is on."""
        zone = self.context.zone
        day = moment.astimezone(zone).date()
        midnight = instant(day, zone)
        if midnight is None or midnight.timestamp() == moment.timestamp():
            return Is(field, operator, (day,), holds)
        if operator == "=":
            return Truth(not holds)
        return Is(field, "<=" if operator[0] == "<" else ">", (day,), holds)


def _joined(terms: Iterable[Query], every: bool) -> Query:
    """All or any of some queries, without what makes no difference."""
    kept: list[Query] = []
    widened = False
    for term in terms:
        if isinstance(term, Truth) and term.holds is every:
            widened = widened or not term.exact
        elif isinstance(term, Truth):
            return term
        else:
            kept.append(term)
    if widened:
        kept.append(_ANYTHING)
    if len(kept) == 1:
        return kept[0]
    if not kept:
        return Truth(every)
    return Every(tuple(kept)) if every else Some(tuple(kept))


def _is_ground(expression: p.Expression) -> bool:
    """Whether the expression's value does not depend on any record."""
    match expression:
        case p.FieldRef():
            return False
        case p.Call(arguments=arguments):
            return all(map(_is_ground, arguments))
        case _:
            return True


# -- what a query can compare -------------------------------------------------------------------

_EARLIEST, _LATEST = 1700, 3999
_LONGEST = 1000
_TEXT_OPERATORS = ("=", "contains", "starts with", "ends with")
_WHOLE = {"int", "integer", "long"}
_LARGEST_WHOLE, _LARGEST = 2**31 - 1, 10**15


def _says_text(_: p.FieldRef, operator: str, value: Any) -> bool:
    """Texts whose case folds letter for letter, and that no system trims or reads as a wildcard."""
    if operator not in _TEXT_OPERATORS or not isinstance(value, str) or len(value) > _LONGEST:
        return False
    if value != value.strip() or value.casefold() != value.lower():
        return False
    if operator != "=" and "\\" in value:
        return False
    return all(c.isprintable() or c in "\n\r\t\b\f" for c in value)


def _says_number(field: p.FieldRef, operator: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if field.vendor_type in _WHOLE and (value != int(value) or abs(value) > _LARGEST_WHOLE):
        return False
    return operator in _FLIPPED and abs(value) <= _LARGEST


def _says_boolean(_: p.FieldRef, operator: str, value: Any) -> bool:
    return operator == "=" and isinstance(value, bool)


def _says_id(_: p.FieldRef, operator: str, value: Any) -> bool:
    """Whole Salesforce ids, with the letters that tell their case; another one is an error."""
    if operator != "=" or not isinstance(value, str) or not re.fullmatch("[A-Za-z0-9]{18}", value):
        return False
    parts = (value[at : at + 5] for at in (0, 5, 10))
    bits = (sum(c.isupper() << n for n, c in enumerate(part)) for part in parts)
    return value[15:] == "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[b] for b in bits)


_SAYS: dict[Kind, Callable[[p.FieldRef, str, Any], bool]] = {
    Kind.TEXT: _says_text,
    Kind.NUMBER: _says_number,
    Kind.BOOLEAN: _says_boolean,
    Kind.ID: _says_id,
    Kind.REFERENCE: _says_id,
}
