"""Queries with aggregates: `COUNT()`, and groups with what is worked out of each."""

from __future__ import annotations

from typing import Any

from dsl.schema import Kind
from engine.sandbox.soql.answers import (
    Answer,
    Asking,
    cut_sql,
    direction,
    see_bounds,
    where_sql,
)
from engine.sandbox.soql.conditions import Conditions, sortable, unsupported
from engine.sandbox.soql.errors import SoqlError, malformed
from engine.sandbox.soql.functions import AGGREGATES, PRESENTED, aggregated, operand_place
from engine.sandbox.soql.scope import Place, Scope, type_named
from engine.sandbox.soql.tree import Call, Operand, Path, Plain, Query

__all__ = ["groups_of", "is_grouped"]

_MOST = 2_000  # groups that a query may give


def is_grouped(query: Query) -> bool:
    """Whether a query gives groups instead of records."""
    return bool(query.group) or any(
        isinstance(item, Plain) and _is_aggregate(item.operand) for item in query.items
    )


def groups_of(asking: Asking, query: Query) -> Answer:
    """Work the groups of a query out, all at once. Raises `SoqlError`."""
    type_ = type_named(asking.org, query.type)
    if type_ is None:
        raise unsupported(query.type, asking.text, query.at)
    see_bounds(query, asking.text)
    scope = Scope(asking.org, type_, asking.text, query.alias)
    conditions = Conditions(scope, asking.reader)
    where = where_sql(asking, conditions, query, scope)
    grouping = _Grouping(scope, query)
    columns = grouping.columns(query)
    group = grouping.sql()
    having = f" HAVING {conditions.having(query.having)}" if query.having is not None else ""
    order = grouping.order(query)
    rows = "all" if asking.deleted else "live"
    if not scope.made:
        rows = "gone"
    selected = ", ".join(_column(at, place) for at, (_, place) in enumerate(columns))
    sql = (
        f"SELECT {selected} FROM {scope.source(rows)}{scope.joins()}{where}{group}{having}{order}"
        f"{cut_sql(query)}"
    )
    if rows == "gone" and not asking.deleted:
        sql = sql.replace("record IS NOT NULL", "0", 1)
    found = asking.org.rows(sql, conditions.values)
    if _only_count(query):
        return Answer(found[0][0] if found else 0, 0, lambda start, stop: [])
    if len(found) > _MOST:
        message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
        raise SoqlError("EXCEEDED_ID_LIMIT", f"{message} to a single batch")
    names = [name for name, _ in columns]
    head = {"type": "AggregateResult"}
    records: list[dict[str, Any]] = [
        {"attributes": head, **dict(zip(names, row, strict=True))} for row in found
    ]
    return Answer(len(records), len(records), lambda start, stop: records[start:stop])


def _bare(operand: Operand) -> Operand:
    """An operand without what only presents it, as in FORMAT(MAX(Amount))."""
    while isinstance(operand, Call) and operand.name in PRESENTED and operand.argument:
        operand = operand.argument
    return operand


def _is_aggregate(operand: Operand) -> bool:
    operand = _bare(operand)
    return isinstance(operand, Call) and operand.name in AGGREGATES


def _only_count(query: Query) -> bool:
    item = query.items[0]
    alone = len(query.items) == 1 and not query.group
    return alone and isinstance(item, Plain) and _counts_all(item.operand)


def _counts_all(operand: Operand) -> bool:
    return isinstance(operand, Call) and operand.name == "COUNT" and operand.argument is None


def _column(at: int, place: Place) -> str:
    if place.form == "plain":
        return place.sql
    return f'{place.sql} AS "c{at} [crosswalk_{place.form}]"'


def _key(operand: Operand, scope: Scope) -> str:
    """How an operand is known again: as it is spelt, without regard to case and alias."""
    if isinstance(operand, Path):
        return ".".join(scope.trail(operand)).lower()
    return f"{operand.name}({_key(operand.argument, scope) if operand.argument else ''})"


class _Grouping:
    def __init__(self, scope: Scope, query: Query) -> None:
        self._scope = scope
        self._places = {
            _key(operand, scope): operand_place(operand, scope, "grouped")
            for operand in query.group
        }

    def sql(self) -> str:
        # Text that differs in case only is one group.
        keys = [sortable(p) if p.field.kind is Kind.TEXT else p.sql for p in self._places.values()]
        return f" GROUP BY {', '.join(keys)}" if keys else ""

    def columns(self, query: Query) -> list[tuple[str, Place]]:
        """The columns by what they are called: an alias, a field's name, or `expr0`."""
        found: list[tuple[str, Place]] = []
        nameless = 0
        for item in query.items:
            if not isinstance(item, Plain):
                message = "a subquery cannot stand beside aggregates"
                raise malformed(message, self._scope.text, query.at)
            place = self._place(item.operand)
            if _counts_all(item.operand) and not _only_count(query):
                message = "COUNT() must be the only element in the SELECT list"
                raise malformed(message, self._scope.text, item.operand.at)
            name = item.alias
            if name is None and isinstance(item.operand, Path):
                name = self._scope.trail(item.operand)[-1]
            if name is None:
                name, nameless = f"expr{nameless}", nameless + 1
            if name in (known for known, _ in found):
                message = f"duplicate alias: {name}"
                raise malformed(message, self._scope.text, item.operand.at)
            found.append((name, place))
        return found

    def _place(self, operand: Operand) -> Place:
        operand = _bare(operand)
        if isinstance(operand, Call) and operand.name in AGGREGATES:
            return aggregated(operand, self._scope)
        if isinstance(operand, Path):
            self._scope.place(operand)  # an unknown field is the worse mistake
        known = self._places.get(_key(operand, self._scope))
        if known is None:
            name = str(operand) if isinstance(operand, Path) else operand.name
            message = f"Field must be grouped or aggregated: {name}"
            raise malformed(message, self._scope.text, operand.at)
        return known

    def order(self, query: Query) -> str:
        parts = []
        for sorting in query.order:
            place = self._place(sorting.operand)
            text = place.sql if _is_aggregate(sorting.operand) else sortable(place)
            parts.append(f"{text}{direction(sorting, place.certain)}")
        return f" ORDER BY {', '.join(parts)}" if parts else ""
