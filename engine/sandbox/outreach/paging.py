"""Pages of a list: sorted by what the client asks, by an opaque cursor or by an offset."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.sandbox.outreach.errors import unsuitable
from engine.sandbox.outreach.filters import Condition, column
from engine.sandbox.outreach.parameters import Parameters
from engine.sandbox.outreach.resources import MOST, PAGE, Resource

__all__ = ["Order", "Page", "cursor", "order_of", "page_of"]

_MOST_OFFSET = 10_000
_OLD = ("limit", "offset")
_NEVER_NULL = ("id", "updatedAt")


@dataclass(frozen=True)
class Order:
    """Fields to sort by, each with whether it descends; the id is last, so that none are equal."""

    terms: tuple[tuple[str, bool], ...]

    def sql(self, backwards: bool) -> str:
        return ", ".join(f"{column(n)}{' DESC' if d ^ backwards else ''}" for n, d in self.terms)

    def behind(self, last: Sequence[Any], backwards: bool) -> Condition:
        """What lies behind a row with these values; NULL sorts before all else."""
        found: list[str] = []
        values: list[Any] = []
        for at, (name, descends) in enumerate(self.terms):
            sql = column(name)
            beyond = _beyond(sql, last[at], descends ^ backwards)
            if beyond is None:
                continue
            same = [f"{column(n)} IS ?" for n, _ in self.terms[:at]]
            values += [*last[:at], *([] if last[at] is None else [last[at]])]
            found.append(f"({' AND '.join([*same, beyond])})")
        sql = f"({' OR '.join(found)})"
        name, descends = self.terms[0]
        if name in _NEVER_NULL:
            # Implied by the rest, but SQLite sees only by this where in an index to begin.
            bound = f"{column(name)} {'<=' if descends ^ backwards else '>='} ?"
            return f"{bound} AND {sql}", [last[0], *values]
        return sql, values

    @property
    def columns(self) -> list[str]:
        return [column(name) for name, _ in self.terms]


def _beyond(sql: str, value: Any, descends: bool) -> str | None:
    if value is None:
        return None if descends else f"{sql} IS NOT NULL"
    return f"({sql} < ? OR {sql} IS NULL)" if descends else f"{sql} > ?"


def order_of(resource: Resource, given: Parameters) -> Order:
    """What `sort=a,-b` asks for; by id if it asks for nothing. Raises `ApiError`."""
    terms: dict[str, bool] = {}
    for word in filter(None, (given.one("sort") or "").split(",")):
        name = word.removeprefix("-")
        field = resource.object.fields.get(name)
        if field is None or not field.sortable:
            raise unsuitable(f"'{name}' is not a sort of {resource.type}.", "sort")
        terms.setdefault(name, word.startswith("-"))
    terms.setdefault("id", False)
    return Order(tuple(terms.items()))


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for. `cursor` is where it begins, None at the first one.

    `backwards` goes from the cursor to the start; `offset` is None unless the older paging is used.
    """

    size: int
    cursor: list[Any] | None = None
    backwards: bool = False
    offset: int | None = None


def page_of(resource: Resource, order: Order, given: Parameters) -> Page:
    """The page that a request asks for. Raises `ApiError`."""
    if any(("page", name) in given.found for name in _OLD):
        size = min(given.number(1, MOST, "page", "limit") or PAGE, resource.most)
        return Page(size, offset=given.number(0, _MOST_OFFSET, "page", "offset") or 0)
    size = min(given.number(1, MOST, "page", "size") or PAGE, resource.most)
    after, before = given.one("page", "after"), given.one("page", "before")
    if after is not None:
        return Page(size, _read("after", after, order))
    if before is not None:
        return Page(size, _read("before", before, order), backwards=True)
    return Page(size)


def cursor(order: Order, values: Sequence[Any]) -> str:
    """An opaque text for a place in a list: the sort, and the values of the row there."""
    raw = msgspec.json.encode([[list(term) for term in order.terms], list(values)])
    return base64.urlsafe_b64encode(raw).decode()


def _read(name: str, text: str, order: Order) -> list[Any]:
    terms, values = _decoded(text)
    known = [list(term) for term in order.terms]
    if terms != known or not isinstance(values, list) or len(values) != len(known):
        raise unsuitable("It is no cursor of this list.", f"page[{name}]")
    if not all(v is None or isinstance(v, str | float | bool) or _fits(v) for v in values):
        raise unsuitable("It is no cursor of this list.", f"page[{name}]")
    return values


def _fits(value: Any) -> bool:
    return isinstance(value, int) and abs(value) < 1 << 63


def _decoded(text: str) -> tuple[Any, Any]:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(text.encode()))
    except ValueError:
        return None, None
    return tuple(found) if isinstance(found, list) and len(found) == 2 else (None, None)
