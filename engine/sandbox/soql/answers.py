"""A query that has been asked: how many records it found, and these, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsl.schema import ObjectType
from engine.sandbox.soql.conditions import Conditions, sortable, unsupported
from engine.sandbox.soql.errors import SoqlError, malformed, pointed
from engine.sandbox.soql.functions import operand_place
from engine.sandbox.soql.relations import children_of
from engine.sandbox.soql.scope import Scope, type_named
from engine.sandbox.soql.selection import Selection
from engine.sandbox.soql.tree import Query, Sorting
from engine.sandbox.soql.values import Reader
from engine.sandbox.soql.virtual import is_virtual
from engine.stores.local.lookups import FIRST_USER
from engine.stores.local.org import OrgFile
from engine.stores.local.reading import is_large, see_index
from engine.stores.local.tables import quoted

__all__ = ["Answer", "Asking", "answer_of", "cut_sql", "direction", "see_bounds", "where_sql"]

_MOST_SKIPPED = 2_000  # Salesforce's bound of OFFSET
_WIDTH = 18  # characters of an id


@dataclass(frozen=True)
class Asking:
    """What surrounds a query: the org, its text, which rows are seen, and addresses' version.

    `deleted` shows deleted and merged records too.
    """

    org: OrgFile
    text: str
    api: str
    reader: Reader
    deleted: bool = False

    @property
    def base(self) -> str:
        return f"/services/data/{self.api}/sobjects/"


@dataclass
class Answer:
    """What a query found when it was asked.

    `total` is the vendor's `totalSize`; `size` how many records there are to page through, which
    is none for `COUNT()`. Records are read when they are asked for, as they are then. `columns` are
    the paths of the selected fields, without those of children; `nested` says if there are such.
    """

    total: int
    size: int
    read: Callable[[int, int], list[dict[str, Any]]] = field(repr=False)
    columns: tuple[tuple[str, ...], ...] = ()
    nested: bool = False

    def records(self, start: int = 0, stop: int | None = None) -> list[dict[str, Any]]:
        """The records from one position up to another, in REST shape."""
        stop = self.size if stop is None else min(stop, self.size)
        return self.read(start, stop) if start < stop else []


def answer_of(asking: Asking, query: Query) -> Answer:
    """Ask for the ids of the records that a query finds, in order. Raises `SoqlError`."""
    type_ = type_named(asking.org, query.type)
    if type_ is None:
        raise unsupported(query.type, asking.text, query.at)
    see_bounds(query, asking.text)
    scope = Scope(asking.org, type_, asking.text, query)
    conditions = Conditions(scope, asking.reader)
    where = where_sql(asking, conditions, query, scope)
    order = order_of(query.order, scope)
    selection = Selection(Scope(asking.org, type_, asking.text, query), query)
    fetching, columns = Fetching(asking, selection), tuple(selection.record.paths())
    if asking.org.made(type_.name):
        _see_indexes(asking.org, type_, conditions.sought)
    sources = [rows for rows in fetching.sources if rows == "gone" or scope.made]
    found = _found(asking.org, scope, sources, where, order, cut_sql(query), conditions.values)
    # A locator may live for two days: one string takes a quarter of what a list of ids does.
    ids = "".join(found)

    def read(start: int, stop: int) -> list[dict[str, Any]]:
        wanted = [ids[at : at + _WIDTH] for at in range(start * _WIDTH, stop * _WIDTH, _WIDTH)]
        return fetching.records(wanted)

    return Answer(len(found), len(found), read, columns, bool(selection.children))


def _found(
    org: OrgFile,
    scope: Scope,
    sources: Sequence[str],
    where: str,
    order: Sequence[tuple[str, str]],
    cut: str,
    values: Sequence[Any],
) -> list[str]:
    """The ids in order. Each source is cut by itself, so that each can follow its own index."""
    if not sources:
        return []
    keys = "".join(f", {sql} AS o{at}" for at, (sql, _) in enumerate(order))
    sql = f"SELECT {scope.key} AS id{keys if len(sources) > 1 else ''} FROM "
    rest = f"{scope.joins()}{where}{sorted_by(order)}"
    if len(sources) == 1:
        rows = org.rows(f"{sql}{scope.source(sources[0])}{rest}{cut}", values)
        return [row[0] for row in rows]
    # What the outer offset skips has to be among what each source gives.
    bound = cut.replace(" OFFSET ", " + ") if " LIMIT -1" not in cut else ""
    parts = (f"SELECT * FROM ({sql}{scope.source(rows)}{rest}{bound})" for rows in sources)
    whole = sorted_by([(f"o{at}", way) for at, (_, way) in enumerate(order)])
    merged = f"SELECT id FROM ({' UNION ALL '.join(parts)}){whole}{cut}"
    return [row[0] for row in org.rows(merged, [*values] * len(sources))]


def _see_indexes(org: OrgFile, type_: ObjectType, names: Collection[str]) -> None:
    table = org.table(type_.name)
    if names and is_large(org, table):
        for name in names:
            see_index(org, table, name)


def see_bounds(query: Query, text: str) -> None:
    if query.offset > _MOST_SKIPPED:
        message = f"Maximum SOQL offset allowed is {_MOST_SKIPPED}"
        raise SoqlError("NUMBER_OUTSIDE_VALID_RANGE", message)
    if query.having is not None and not query.group:
        raise malformed("HAVING needs a GROUP BY", text, query.at)


def where_sql(asking: Asking, conditions: Conditions, query: Query, scope: Scope) -> str:
    parts = []
    if query.where is not None:
        parts.append(conditions.where(query.where))
    if query.scope not in (None, "everything"):
        if query.scope != "mine" or "OwnerId" not in scope.type.fields:
            raise malformed(f"unexpected token: '{query.scope}'", asking.text, query.at)
        user = FIRST_USER if asking.org.made("User") else "NULL"
        parts.append(f'{scope.root}."OwnerId" IN ({user})')
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def order_of(sortings: Sequence[Sorting], scope: Scope) -> list[tuple[str, str]]:
    """What is sorted by, and how; null comes first unless it is sent last. Raises `SoqlError`."""
    places = [(s, operand_place(s.operand, scope, "sorted")) for s in sortings]
    return [(sortable(place), direction(s, place.certain)) for s, place in places]


def sorted_by(order: Sequence[tuple[str, str]]) -> str:
    """ORDER BY, if there is anything to sort by."""
    return f" ORDER BY {', '.join(sql + way for sql, way in order)}" if order else ""


def direction(sorting: Sorting, certain: bool) -> str:
    """How a field is sorted, in SQL; what is `certain` to be there needs no place for nulls."""
    way = " DESC" if sorting.descending else ""
    if certain or sorting.nulls_last == sorting.descending:
        return way if certain or not sorting.descending else f"{way} NULLS LAST"
    return f"{way} NULLS {'LAST' if sorting.nulls_last else 'FIRST'}"


def cut_sql(query: Query) -> str:
    if query.limit is None and not query.offset:
        return ""
    limit = -1 if query.limit is None else query.limit
    return f" LIMIT {min(limit, 1 << 62)} OFFSET {query.offset}"


class Fetching:
    """Reads the records of ids, in their order, with what was selected of them.

    `sources` are the rows that are seen, as `Scope.source` names them.
    """

    def __init__(self, asking: Asking, selection: Selection) -> None:
        self._asking, self._selection = asking, selection
        self._made = selection.record.ready()
        bin_too = asking.deleted and not is_virtual(selection.scope.type.name)
        self.sources = ("live", "gone") if bin_too else ("live",)
        type_ = selection.scope.type
        self._kids = [Kin(asking, type_, query) for query in selection.children]

    def records(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The records of these ids that are still there."""
        asking, selection = self._asking, self._selection
        wanted, scope = json.dumps(ids), selection.scope
        found: dict[str, tuple[Any, ...]] = {}
        for rows in self.sources:
            if rows == "live" and not scope.made:
                continue
            source = f"json_each(?) AS k CROSS JOIN {scope.source(rows)}"
            where = f" WHERE {scope.key} = k.value"
            sql = selection.sql(source, where)
            found.update((row[0], row) for row in asking.org.rows(sql, (wanted,)))
        kids = [kin.of(ids) for kin in self._kids]
        base, made = asking.base, self._made
        return [made(found[record], base, kids) for record in ids if record in found]


class Kin:
    """A subquery over the children of records."""

    def __init__(self, asking: Asking, parent: ObjectType, query: Query) -> None:
        related = next(
            (
                r
                for r in children_of(asking.org, parent.name)
                if r.name.lower() == query.type.lower()
            ),
            None,
        )
        if related is None:
            message = (
                f"Didn't understand relationship '{query.type}' in FROM part of query call. If you"
                " are attempting to use a custom relationship, be sure to append the '__r' after"
                " the custom relationship name. Please reference your WSDL or the describe call for"
                " the appropriate names."
            )
            raise pointed("INVALID_TYPE", message, asking.text, query.at)
        if query.group or query.having is not None:
            raise malformed("a subquery cannot be grouped", asking.text, query.at)
        type_ = asking.org.table(related.type).type
        see_bounds(query, asking.text)
        self._asking, self._query, self._type = asking, query, type_
        scope = Scope(asking.org, type_, asking.text, query)
        self._parent = f"{scope.root}.{quoted(related.field)}"
        conditions = Conditions(scope, asking.reader)
        self._where = conditions.where(query.where) if query.where is not None else "1"
        self._values = conditions.values
        order = sorted_by(order_of(query.order, scope))
        self._selection = Selection(scope, query, extra=(self._parent,))
        self._made = self._selection.record.ready()
        self._kids = [Kin(asking, type_, each) for each in self._selection.children]
        source = scope.source("live")
        within = f"{self._parent} IN (SELECT value FROM json_each(?))"
        self._sql = self._selection.sql(source, f" WHERE {self._where} AND {within}{order}")

    def of(self, parents: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The children of each parent that has some, as the vendor nests them."""
        if not self._asking.org.made(self._type.name):
            return {}
        rows = self._asking.org.rows(self._sql, (*self._values, json.dumps(list(parents))))
        by_parent: dict[str, list[tuple[Any, ...]]] = {}
        for row in rows:
            by_parent.setdefault(row[1], []).append(row)
        start = self._query.offset
        stop = None if self._query.limit is None else start + self._query.limit
        cut = {parent: kept for parent, all_ in by_parent.items() if (kept := all_[start:stop])}
        ids = [row[0] for kept in cut.values() for row in kept]
        kids = [kin.of(ids) for kin in self._kids]
        base, made = self._asking.base, self._made
        return {
            parent: {
                "totalSize": len(kept),
                "done": True,
                "records": [made(row, base, kids) for row in kept],
            }
            for parent, kept in cut.items()
        }
