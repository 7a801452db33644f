"""Answers to GET: a page of a list, or one record, with what they include."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.sandbox.outreach.documents import Chosen, chosen, documents, select
from engine.sandbox.outreach.errors import not_found, unsuitable
from engine.sandbox.outreach.events import FEED
from engine.sandbox.outreach.filters import Condition, conditions
from engine.sandbox.outreach.paging import Order, Page, cursor, order_of, page_of
from engine.sandbox.outreach.parameters import Parameters
from engine.sandbox.outreach.resources import Resource, by_type
from engine.stores.local.org import OrgFile

__all__ = ["Reader", "source"]

_MOST_COUNTED = 2_000_000
_DEEPEST = 3  # relationships that an include may follow
_Row = tuple[Any, ...]


def source(org: OrgFile, resource: Resource) -> str | None:
    """What the records of a type are read from; None if there are none yet."""
    if resource.type == "event":
        return FEED.sql(org)
    return f"{org.table(resource.type).name} AS t" if org.made(resource.type) else None


@dataclass
class Reader:
    """Reads for one request; `base` is the address of the API, `hidden` are ids not yet visible."""

    org: OrgFile
    base: str
    given: Parameters
    hidden: Mapping[str, Collection[int]] = field(default_factory=dict)

    def one(self, resource: Resource, record: int) -> dict[str, Any]:
        """A document of one record. Raises `ApiError` if it is not there."""
        found = self._of_ids(resource, chosen(resource, self.given), [record])
        if not found:
            raise not_found(resource.type, record)
        included = self._included(resource, [record])
        return {"data": found[0]} | ({} if included is None else {"included": included})

    def page(self, resource: Resource) -> dict[str, Any]:
        """A document of a page of records. Raises `ApiError`."""
        order = order_of(resource, self.given)
        page = page_of(resource, order, self.given)
        fields = chosen(resource, self.given)
        wanted = conditions(self.org, resource, self.given)
        counts = self.given.flag("count", default=True)
        if hidden := self.hidden.get(resource.type):
            wanted.append(("t.id NOT IN (SELECT value FROM json_each(?))", [json.dumps([*hidden])]))
        found = _List(self.org, resource, wanted, order)
        rows, more = found.rows(fields, page)
        width = len(order.terms)
        data = documents(self.org, resource, fields, [row[width:] for row in rows], self.base)
        places = [row[:width] for row in rows]
        total = found.count() if counts or page.offset is not None else None
        answer = {"data": data, "links": self._links(resource, order, page, places, more, total)}
        included = self._included(resource, [row[width] for row in rows])
        if included is not None:
            answer["included"] = included
        return answer | {"meta": _meta(total if counts else None)}

    def _links(
        self,
        resource: Resource,
        order: Order,
        page: Page,
        places: list[_Row],
        more: bool,
        total: int | None,
    ) -> dict[str, str]:
        base = f"{self.base}/{resource.plural}"
        if page.offset is not None:
            return self._offset_links(base, page, more, total or 0)
        size = {"page[size]": str(page.size)}
        links = {"first": self.given.link(base, size)}
        back = more if page.backwards else page.cursor is not None
        onward = page.backwards or more
        if places and back:
            links["prev"] = self.given.link(base, size | {"page[before]": cursor(order, places[0])})
        if places and onward:
            links["next"] = self.given.link(base, size | {"page[after]": cursor(order, places[-1])})
        return links

    def _offset_links(self, base: str, page: Page, more: bool, total: int) -> dict[str, str]:
        def at(offset: int) -> str:
            parts = {"page[limit]": str(page.size), "page[offset]": str(offset)}
            return self.given.link(base, parts)

        offset = page.offset or 0
        links = {"first": at(0), "last": at(max(0, total - 1) // page.size * page.size)}
        if offset:
            links["prev"] = at(max(0, offset - page.size))
        if more:
            links["next"] = at(offset + page.size)
        return links

    def _of_ids(self, resource: Resource, fields: Chosen, ids: list[int]) -> list[dict[str, Any]]:
        table = source(self.org, resource)
        if table is None:
            return []
        columns = select(resource.type, fields)
        sql = f"SELECT {columns} FROM {table} WHERE t.id IN (SELECT value FROM json_each(?))"
        rows = self.org.rows(f"{sql} ORDER BY t.id", (json.dumps(ids),))
        return documents(self.org, resource, fields, rows, self.base)

    # -- what comes along -----------------------------------------------------------------------

    def _included(self, resource: Resource, ids: list[int]) -> list[dict[str, Any]] | None:
        """The records of `include=account.owner,stage`, each once; None if nothing is asked for."""
        text = self.given.one("include")
        if not text:
            return None
        wanted: dict[str, set[int]] = {}
        for path in text.split(","):
            names = path.split(".")
            if len(names) > _DEEPEST:
                raise unsuitable(f"'{path[:80]}' leads too far.", "include")
            self._follow(resource, ids, names, wanted)
        found: list[dict[str, Any]] = []
        for type_name in sorted(wanted):
            other = by_type(type_name)
            if other is not None:
                fields = chosen(other, self.given)
                found += self._of_ids(other, fields, sorted(wanted[type_name]))
        return found

    def _follow(
        self, resource: Resource, ids: list[int], names: list[str], wanted: dict[str, set[int]]
    ) -> None:
        name, rest = names[0], names[1:]
        known = resource.relationships.get(name)
        if known is None or known.linked:
            raise unsuitable(f"'{name[:80]}' is not included with {resource.type}.", "include")
        for one in self._of_ids(resource, Chosen((), (name,), whole=False), ids):
            data = one["relationships"][name].get("data")
            for each in [data] if isinstance(data, dict) else data or []:
                wanted.setdefault(each["type"], set()).add(each["id"])
        for target in known.references:
            other = by_type(target)
            if rest and other is not None:
                self._follow(other, sorted(wanted.get(target, ())), rest, wanted)


def _meta(total: int | None) -> dict[str, Any]:
    """A list's count; uncounted it is said to be truncated at none."""
    if total is None:
        return {"count": 0, "count_truncated": True}
    return {"count": min(total, _MOST_COUNTED), "count_truncated": total > _MOST_COUNTED}


@dataclass
class _List:
    """The records of a type under some conditions, in an order."""

    org: OrgFile
    resource: Resource
    wanted: list[Condition]
    order: Order

    def __post_init__(self) -> None:
        self._table = source(self.org, self.resource)

    def rows(self, fields: Chosen, page: Page) -> tuple[list[_Row], bool]:
        """The rows of a page, led by the values they are sorted by; whether more lie beyond."""
        if self._table is None:
            return [], False
        wanted = list(self.wanted)
        if page.cursor is not None:
            wanted.append(self.order.behind(page.cursor, page.backwards))
        where, values = _where(wanted)
        columns = ", ".join([*self.order.columns, select(self.resource.type, fields)])
        sql = (
            f"SELECT {columns} FROM {self._table}{where}"
            f" ORDER BY {self.order.sql(page.backwards)} LIMIT ? OFFSET ?"
        )
        rows = self.org.rows(sql, (*values, page.size + 1, page.offset or 0))
        more = len(rows) > page.size
        rows = rows[: page.size]
        return rows[::-1] if page.backwards else rows, more

    def count(self) -> int:
        """How many there are, up to just beyond what is told."""
        if self._table is None:
            return 0
        where, values = _where(self.wanted)
        sql = f"SELECT count(*) FROM {self._table}{where}"
        return int(self.org.rows(sql, values)[0][0])


def _where(wanted: list[Condition]) -> tuple[str, list[Any]]:
    if not wanted:
        return "", []
    return " WHERE " + " AND ".join(sql for sql, _ in wanted), [v for _, vs in wanted for v in vs]
