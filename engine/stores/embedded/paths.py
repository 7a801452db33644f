"""Dotted paths as SQL: which joins a path through references needs, and how its value is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from dsl.schema import Field, Kind, ObjectType, Side
from engine.model import Row, Value
from engine.ports import StoreError
from engine.stores.embedded.tables import Tables, column_of, quoted

__all__ = ["Projection", "project"]

_decode = msgspec.json.decode
_MAIN = "t"

# A prospect's current sequence: its latest state that is not finished.
_SEQUENCE = (
    "(SELECT {value} FROM sequenceState AS q LEFT JOIN sequence AS n ON n._id = q.sequence"
    " LEFT JOIN sequenceStep AS p ON p._id = q.sequenceStep"
    " WHERE q.prospect = t._id ORDER BY q._id DESC LIMIT 1)"
)
_SEQUENCE_VALUES = {
    "id": "n._id",
    "name": 'n."name"',
    "status": 'q."state"',
    "active": "q.\"state\" IN ('active', 'pending', 'paused')",
    "step_number": 'p."order"',
    "step_type": 'p."stepType"',
}


@dataclass
class Projection:
    """What to select for a list of paths: SQL expressions, joins, and the values to convert."""

    columns: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    booleans: list[int] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)

    def select(self, described: ObjectType) -> str:
        """The statement up to its WHERE; the record's table is `t`."""
        columns = ", ".join(["t._id", "t._stamp", *self.columns])
        return f"SELECT {columns} FROM {quoted(described.name)} AS t {' '.join(self.joins)}"

    def reader(self) -> Callable[[list[Row]], list[Row]]:
        """What turns SQLite's rows into rows of the model: real booleans and lists."""
        if not self.booleans and not self.lists:
            return lambda rows: rows
        booleans, lists = tuple(self.booleans), tuple(self.lists)

        def convert(row: Row) -> Row:
            values = list(row)
            for n in booleans:
                if values[n] is not None:
                    values[n] = values[n] == 1
            for n in lists:
                if values[n] is not None:
                    values[n] = _decode(values[n])
            return tuple(values)

        return lambda rows: [convert(row) for row in rows]


def project(tables: Tables, described: ObjectType, paths: Sequence[str]) -> Projection:
    """How to read these paths of a type. Raises `StoreError` for one that the type does not have."""
    found = Projection()
    for number, path in enumerate(paths, 2):
        expression, known = _expression(tables, described, path, found)
        found.columns.append(expression)
        if known is None:
            continue
        if known.kind is Kind.BOOLEAN:
            found.booleans.append(number)
        elif known.kind in (Kind.LIST, Kind.OBJECT):
            found.lists.append(number)
    return found


def _expression(
    tables: Tables, described: ObjectType, path: str, found: Projection
) -> tuple[str, Field | None]:
    known = described.fields.get(path)
    if known is not None:
        name = column_of(known)
        return f"{_MAIN}.{name}", known
    if described.side is Side.OUTREACH and described.name == "prospect":
        word, _, rest = path.partition(".")
        if word == "sequence":
            return _sequence(tables, rest)
    return _walk(tables, described, _MAIN, path, path, found)


def _walk(
    tables: Tables, described: ObjectType, alias: str, path: str, whole: str, found: Projection
) -> tuple[str, Field | None]:
    word, dot, rest = path.partition(".")
    if not dot:
        known = described.fields.get(path)
        if known is None:
            side = described.side.title()
            raise StoreError(f"{side} has no field `{whole}` on {described.name}")
        return f"{alias}.{column_of(known)}", known
    reference = described.by_relationship(word)
    if reference is None:
        side = described.side.title()
        raise StoreError(f"{side} has no field `{whole}` on {described.name}")
    parts = []
    known = None
    for name in reference.references:
        if not tables.known(name):
            continue
        target = tables.type(name)
        if rest.partition(".")[0] not in target.fields and not target.by_relationship(
            rest.partition(".")[0]
        ):
            continue
        joined = quoted(f"{alias.strip(chr(34))}.{word}:{name}")
        join = (
            f"LEFT JOIN {quoted(name)} AS {joined}"
            f" ON {joined}._id = {alias}.{quoted(reference.name)}"
        )
        if join not in found.joins:
            found.joins.append(join)
        part, known = _walk(tables, target, joined, rest, whole, found)
        parts.append(part)
    if not parts:
        raise StoreError(f"{described.side.title()} has no field `{whole}` on {described.name}")
    return (parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"), known


def _sequence(tables: Tables, rest: str) -> tuple[str, Field | None]:
    """A path of the current sequence; null where this org keeps nothing of the kind."""
    for name in ("sequenceState", "sequence", "sequenceStep"):
        tables.type(name)
    value = _SEQUENCE_VALUES.get(rest)
    if value is None:
        return "NULL", None
    known = Field(rest, rest, Kind.BOOLEAN, "boolean") if rest == "active" else None
    return _SEQUENCE.format(value=value), known


def value_for_sql(value: Value) -> Value:
    """A value as a column holds it."""
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return value
