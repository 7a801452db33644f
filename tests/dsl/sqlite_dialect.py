"""A pushed-down query in SQLite's words, so that a real database can say what it lets through."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from dsl.pushdown import Every, Is, Null, Query, Some, Truth, Value
from dsl.schema import Kind
from dsl.values import instant

__all__ = ["Table"]

_CONTRARY = {"=": "<>", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_PATTERNS = {"contains": "%{}%", "starts with": "{}%", "ends with": "%{}"}


class Table:
    """Records in a real SQLite table; texts compare without regard to case, as in Salesforce."""

    def __init__(self, columns: Iterable[str], zone: tzinfo) -> None:
        self.columns = list(columns)
        self._database = sqlite3.connect(":memory:")
        self._database.create_function("fold", 1, _fold, deterministic=True)
        self._database.create_function(
            "moment", 1, lambda text: _moment(text, zone), deterministic=True
        )
        names = ", ".join(map(_name, self.columns))
        self._database.execute(f"CREATE TABLE record ({names})")

    def fill(self, records: Iterable[dict[str, Any]]) -> None:
        marks = ", ".join("?" * len(self.columns))
        rows = ([_stored(record[name]) for name in self.columns] for record in records)
        self._database.execute("DELETE FROM record")
        self._database.executemany(f"INSERT INTO record VALUES ({marks})", rows)

    def selects(self, query: Query) -> set[int]:
        """The positions of the records that a query lets through."""
        rows = self._database.execute(f"SELECT rowid - 1 FROM record WHERE {_written(query)}")
        return {number for (number,) in rows}

    def close(self) -> None:
        self._database.close()


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _moment(value: Any, zone: tzinfo) -> float | None:
    found = instant(value, zone) if isinstance(value, str) else None
    return found.timestamp() if found else None


def _stored(value: Any) -> Any:
    return repr(value) if isinstance(value, list) else value


def _name(path: str) -> str:
    return f'"{path}"'


def _written(query: Query) -> str:
    match query:
        case Truth(holds=holds):
            return str(holds).upper()
        case Null(field=field, holds=holds):
            name = _name(field.path)
            test = f"({name} IS NULL OR {name} = '')"
            return test if holds else f"NOT {test}"
        case Is():
            return _comparison(query)
        case Every(terms=terms):
            return "(" + " AND ".join(map(_written, terms)) + ")"
        case Some(terms=terms):
            return "(" + " OR ".join(map(_written, terms)) + ")"


def _comparison(query: Is) -> str:
    name = _name(query.field.path)
    side = _folded(name, query.field.kind)
    values = [_folded(_literal(value), query.field.kind) for value in query.values]
    if query.operator in _PATTERNS:
        escaped = str(query.values[0]).replace("%", "\\%").replace("_", "\\_")
        pattern = _text(_PATTERNS[query.operator].format(escaped))
        test = f"fold({name}) LIKE fold({pattern}) ESCAPE '\\'"
        return test if query.holds else f"({name} IS NULL OR NOT {test})"
    if len(values) > 1:
        test = f"{side} {'IN' if query.holds else 'NOT IN'} ({', '.join(values)})"
    else:
        test = f"{side} {query.operator if query.holds else _CONTRARY[query.operator]} {values[0]}"
    return test if query.holds else f"({side} IS NULL OR {test})"


def _folded(text: str, kind: Kind) -> str:
    if kind in (Kind.DATE, Kind.DATETIME):
        return f"moment({text})"
    return f"fold({text})" if kind in (Kind.TEXT, Kind.ID, Kind.REFERENCE) else text


def _literal(value: Value) -> str:
    match value:
        case bool():
            return str(int(value))
        case str():
            return _text(value)
        case datetime():
            return _text(value.astimezone(UTC).isoformat())
        case int() | float():
            return repr(value)
        case _:
            return _text(value.isoformat())


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
