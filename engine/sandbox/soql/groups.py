"""Queries with aggregates: `COUNT()`, and groups with what is worked out of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from dsl.schema import Field, Kind
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
from engine.sandbox.soql.formats import formatted
from engine.sandbox.soql.functions import AGGREGATES, PRESENTED, aggregated, operand_place
from engine.sandbox.soql.scope import Place, Scope, type_named
from engine.sandbox.soql.tree import (
    Call,
    Condition,
    Every,
    Negation,
    Operand,
    Path,
    Plain,
    Query,
    Some,
)

__all__ = ["groups_of", "is_grouped"]

_MOST = 2_000  # groups that a query may give
_SEVERAL = ("ROLLUP", "CUBE")
_MOST_ROLLED = 3  # fields in one of these


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
    scope = Scope(asking.org, type_, asking.text, query)
    conditions = Conditions(scope, asking.reader)
    where = where_sql(asking, conditions, query, scope)
    grouping = _Grouping(scope, query)
    columns = grouping.columns(query)
    having = ""
    if query.having is not None:
        grouping.see_grouped(query.having)
        having = f" HAVING {conditions.having(query.having)}"
    parts = [grouping.part(query, within) for within in grouping.sets]
    source = f"{_source(asking, scope)}{scope.joins()}{where}"
    selects = [f"SELECT {chosen} FROM {source}{group}{having}" for chosen, group in parts]
    if _only_count(query):
        rows = asking.org.rows(selects[0], conditions.values)
        return Answer(_cut(rows[0][0], query), 0, lambda start, stop: [])
    sql = f"{' UNION ALL '.join(selects)}{grouping.order(query)}{cut_sql(query)}"
    found = asking.org.rows(sql, [*conditions.values] * len(selects))
    if len(found) > _MOST:
        message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
        raise SoqlError("EXCEEDED_ID_LIMIT", f"{message} to a single batch")
    head = {"type": "AggregateResult"}
    records: list[dict[str, Any]] = [
        {
            "attributes": head,
            **{c.name: c.shown(value) for c, value in zip(columns, row, strict=False)},
        }
        for row in found
    ]
    return Answer(len(records), len(records), lambda start, stop: records[start:stop])


def _source(asking: Asking, scope: Scope) -> str:
    if scope.made:
        return scope.source("all" if asking.deleted else "live")
    gone = scope.source("gone")
    return gone if asking.deleted else gone.replace("record IS NOT NULL", "0", 1)


def _cut(count: int, query: Query) -> int:
    """A number of records as the query's bounds leave it."""
    left = max(0, count - query.offset)
    return left if query.limit is None else min(left, query.limit)


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


@dataclass(frozen=True)
class _Column:
    """One of an answer's columns: what it is called, what it reads, and how it is shown."""

    name: str
    operand: Operand
    place: Place
    formatted: bool

    def shown(self, value: Any) -> Any:
        return formatted(self.place.field, value) if self.formatted else value


class _Grouping:
    """What a query groups by. `sets` are the keys of each grouping: several for ROLLUP and CUBE."""

    def __init__(self, scope: Scope, query: Query) -> None:
        self._scope = scope
        operands, self._several = _flat(query.group, scope)
        self._places = {key: operand_place(o, scope, "grouped") for key, o in operands.items()}
        self.sets = _sets(self._several, tuple(operands))

    def part(self, query: Query, within: tuple[str, ...]) -> tuple[str, str]:
        """What one grouping selects, with what is sorted by behind it, and its GROUP BY."""
        columns = [self._read(c.operand, within) for c in self.columns(query)]
        selected = [_column(at, place) for at, place in enumerate(columns)]
        for at, sorting in enumerate(query.order):
            place = self._read(sorting.operand, within)
            text = place.sql if _is_aggregate(sorting.operand) else sortable(place)
            selected.append(f"{text} AS o{at}")
        # Text that differs in case only is one group.
        places = [self._places[key] for key in within]
        keys = [sortable(p) if p.field.kind is Kind.TEXT else p.sql for p in places]
        if self._several and not keys:
            return ", ".join(selected), " GROUP BY NULL"
        return ", ".join(selected), f" GROUP BY {', '.join(keys)}" if keys else ""

    def columns(self, query: Query) -> list[_Column]:
        """The columns by what they are called: an alias, a field's name, or `expr0`."""
        found: list[_Column] = []
        nameless = 0
        for item in query.items:
            if not isinstance(item, Plain):
                message = "a subquery cannot stand beside aggregates"
                raise malformed(message, self._scope.text, query.at)
            operand = item.operand
            place = self._place(operand)
            if _counts_all(operand) and not _only_count(query):
                message = "COUNT() must be the only element in the SELECT list"
                raise malformed(message, self._scope.text, operand.at)
            name = item.alias
            if name is None and isinstance(operand, Path):
                name = self._scope.trail(operand)[-1]
            if name is None:
                name, nameless = f"expr{nameless}", nameless + 1
            if name in (known.name for known in found):
                message = f"duplicate alias: {name}"
                raise malformed(message, self._scope.text, operand.at)
            shown = isinstance(operand, Call) and operand.name == "FORMAT"
            found.append(_Column(name, operand, place, shown))
        return found

    def see_grouped(self, condition: Condition) -> None:
        """See that a condition on groups asks of nothing else. Raises `SoqlError`."""
        match condition:
            case Every(conditions=parts) | Some(conditions=parts):
                for part in parts:
                    self.see_grouped(part)
            case Negation(condition=inner):
                self.see_grouped(inner)
            case _:
                self._place(condition.operand)

    def _read(self, operand: Operand, within: tuple[str, ...]) -> Place:
        """What an operand reads where only some of the fields are grouped by."""
        place = self._place(operand)
        operand = _bare(operand)
        if isinstance(operand, Call) and operand.name == "GROUPING":
            return replace(place, sql="0" if self._key(operand.argument) in within else "1")
        if _is_aggregate(operand) or _key(operand, self._scope) in within:
            return place
        return Place("NULL", place.field, place.form)

    def _key(self, argument: Operand | None) -> str:
        return "" if argument is None else _key(argument, self._scope)

    def _tells(self, operand: Operand) -> bool:
        """Whether an operand tells if a field is grouped by in a row."""
        if not isinstance(operand, Call) or operand.name != "GROUPING":
            return False
        return bool(self._several) and self._key(operand.argument) in self._places

    def _place(self, operand: Operand) -> Place:
        operand = _bare(operand)
        if isinstance(operand, Call) and operand.name in AGGREGATES:
            return aggregated(operand, self._scope)
        if self._tells(operand):
            return Place("1", Field("GROUPING", "GROUPING", Kind.NUMBER, "int"), certain=True)
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
        for at, sorting in enumerate(query.order):
            certain = self._place(sorting.operand).certain
            parts.append(f"o{at}{direction(sorting, certain)}")
        return f" ORDER BY {', '.join(parts)}" if parts else ""


def _flat(group: Sequence[Operand], scope: Scope) -> tuple[dict[str, Operand], str]:
    """The operands of GROUP BY by key, and `ROLLUP` or `CUBE` if they stand in one."""
    first = group[0] if group else None
    if isinstance(first, Call) and first.name in _SEVERAL and first.argument is not None:
        if len(group) > 1 or len(first.more) >= _MOST_ROLLED:
            message = f"{first.name} stands alone, and takes at most {_MOST_ROLLED} fields"
            raise malformed(message, scope.text, first.at)
        return {_key(o, scope): o for o in (first.argument, *first.more)}, first.name
    return {_key(o, scope): o for o in group}, ""


def _sets(word: str, keys: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The groupings: all of the keys, and for ROLLUP and CUBE those of subtotals."""
    if word == "ROLLUP":
        return [keys[:length] for length in range(len(keys), -1, -1)]
    if word == "CUBE":
        sizes = range(len(keys), -1, -1)
        return [chosen for size in sizes for chosen in combinations(keys, size)]
    return [keys]
