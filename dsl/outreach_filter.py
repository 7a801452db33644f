"""Conditions as filters of Outreach's API: the part of them that such a filter can say.

A filter is a conjunction of one value, list or range an attribute. Whether texts compare with
regard to case there is not written down, so texts are never pushed down, nor are references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from dsl.program import Condition
from dsl.pushdown import Every, Is, Null, Query, Truth, Value, pushdown
from dsl.schema import Kind, Side

__all__ = ["Filtered", "outreach_filter"]

_KINDS = (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME)
_MOST_VALUES = 100


@dataclass(frozen=True, slots=True)
class Filtered:
    """Query parameters by name; `exact` if they mean just what the condition does, else more."""

    parameters: Mapping[str, str]
    exact: bool


@dataclass(frozen=True, slots=True)
class _Range:
    low: Any = None
    high: Any = None

    def within(self, other: _Range) -> _Range:
        lows = [r.low for r in (self, other) if r.low is not None]
        highs = [r.high for r in (self, other) if r.high is not None]
        return _Range(max(lows, default=None), min(highs, default=None))

    def __str__(self) -> str:
        low = "neginf" if self.low is None else _text(self.low)
        return f"{low}..{'inf' if self.high is None else _text(self.high)}"


def outreach_filter(condition: Condition, *, zone: tzinfo, now: datetime) -> Filtered | None:
    """A condition as a filter; None where there is nothing that a filter could hold back."""
    query = pushdown(condition, Side.OUTREACH, zone=zone, now=now)
    ranges: dict[str, _Range] = {}
    values: dict[str, str] = {}
    exact = query.exact
    for term in _conjuncts(query):
        said = _said(term)
        exact = exact and said is not None and _is_whole(term)
        match said:
            case name, _Range() as found:
                ranges[name] = ranges.get(name, _Range()).within(found)
            case name, str() as text:
                exact = exact and values.get(name, text) == text
                values.setdefault(name, text)
    exact = exact and not ranges.keys() & values.keys()
    texts = {**{name: str(each) for name, each in ranges.items()}, **values}
    parameters = {f"filter[{name}]": texts[name] for name in sorted(texts)}
    return Filtered(parameters, exact) if parameters else None


def _conjuncts(query: Query) -> Iterable[Query]:
    if isinstance(query, Every):
        for term in query.terms:
            yield from _conjuncts(term)
    elif not (isinstance(query, Truth) and query.holds):
        yield query


def _said(query: Query) -> tuple[str, _Range | str] | None:
    if not isinstance(query, Is | Null) or query.field.kind not in _KINDS or query.field.dotted:
        return None
    name = query.field.path
    if isinstance(query, Null):
        return (name, "__null__") if query.holds else None
    if not query.holds or len(query.values) > _MOST_VALUES:
        return None
    if query.operator == "=":
        return name, ",".join(map(_text, query.values))
    (value,) = query.values
    return name, _Range(high=value) if query.operator[0] == "<" else _Range(low=value)


def _is_whole(query: Query) -> bool:
    """Whether a range says it: its ends belong to it."""
    return isinstance(query, Null) or (isinstance(query, Is) and query.operator not in ("<", ">"))


def _text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case _:
            return str(value)
