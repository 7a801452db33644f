"""Conditions as SOQL, so that Salesforce sends only the records that a rule may want.

Names come from resolved fields, values go through one encoder. What a `where` means for nulls is
written out, since SOQL's own answer depends on the operator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from dsl.program import Condition
from dsl.pushdown import Every, Is, Null, Query, Some, Truth, Value, pushdown
from dsl.schema import Kind, Side

__all__ = ["Pushed", "literal", "soql", "written"]

_LONGEST = 10_000  # of a query that must fit into a URL
_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\b": "\\b",
        "\f": "\\f",
    }
)
_WILD = str.maketrans({"%": "\\%", "_": "\\_"})
_CONTRARY = {"=": "!=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What stands after `WHERE`; `exact` if it means just what the condition does, else more."""

    text: str
    exact: bool


def soql(condition: Condition, *, zone: tzinfo, now: datetime) -> Pushed | None:
    """A condition as SOQL; None where there is nothing that SOQL could hold back.

    A text that folds to another number of letters (`ß`) is found by `ss` in a rule, not in SOQL.
    """
    query = pushdown(condition, Side.SALESFORCE, zone=zone, now=now)
    if isinstance(query, Truth) and query.holds:
        return None
    text = written(query)
    return Pushed(text, query.exact) if len(text) <= _LONGEST else None


def written(query: Query, top: bool = True) -> str:
    """The text of a query; SOQL does not take `AND` and `OR` mixed without parentheses."""
    match query:
        case Truth(holds=holds):
            return "Id != null" if holds else "Id = null"
        case Null(field=field, holds=holds):
            return f"{field.path} {'=' if holds else '!='} null"
        case Is():
            return _comparison(query)
        case Every(terms=terms) | Some(terms=terms):
            word = " AND " if isinstance(query, Every) else " OR "
            text = word.join(written(term, False) for term in _said(terms))
            return text if top else f"({text})"


def _said(terms: tuple[Query, ...]) -> list[Query]:
    return [term for term in terms if not isinstance(term, Truth)]


def _comparison(query: Is) -> str:
    path, values = query.field.path, query.values
    if query.operator in _PATTERNS:
        (value,) = values
        text = f"{path} LIKE {_PATTERNS[query.operator](str(value))}"
        return text if query.holds else f"((NOT {text}) OR {path} = null)"
    if len(values) == 1:
        operator = query.operator if query.holds else _CONTRARY[query.operator]
        text = f"{path} {operator} {literal(values[0])}"
    else:
        text = f"{path} {'IN' if query.holds else 'NOT IN'} ({', '.join(map(literal, values))})"
    # A checkbox is never null.
    with_nulls = not query.holds and query.field.kind is not Kind.BOOLEAN
    return f"({text} OR {path} = null)" if with_nulls else text


def literal(value: Value) -> str:
    """A value in SOQL."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value.translate(_ESCAPES)}'"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case int():
            return str(value)
        case float():
            return f"{Decimal(str(value)):f}"
        case _:
            return value.isoformat()


def _like(before: str, after: str) -> Callable[[str], str]:
    def pattern(text: str) -> str:
        return f"'{before}{text.translate(_ESCAPES).translate(_WILD)}{after}'"

    return pattern


_PATTERNS = {
    "contains": _like("%", "%"),
    "starts with": _like("", "%"),
    "ends with": _like("%", ""),
}
