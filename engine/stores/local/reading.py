"""Rows out of a local org: by change, by id, and by the value of a field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from dsl.schema import Kind, Side
from engine.model import Cursor, Page, RecordId, Row, Value
from engine.stores.local.ids import full_id
from engine.stores.local.opening import folded
from engine.stores.local.org import OrgFile
from engine.stores.local.paths import Query
from engine.stores.local.tables import Table, quoted, shape

__all__ = ["changed_rows", "found_rows", "is_large", "rows_of_ids", "see_index"]

#: Below this many rows a look through all of them is as quick as an index, and leaves the file be.
_SMALL = 500


def first_cursor(side: Side) -> Cursor:
    """The cursor before all records."""
    return Cursor("", "" if side is Side.SALESFORCE else 0)


def changed_rows(
    org: OrgFile, table: Table, fields: Sequence[str], since: Cursor, size: int
) -> tuple[list[Row], bool]:
    """The next rows behind a cursor, by stamp and id; whether more follow.

    Two ranges of one index, since SQLite takes no row value on a rowid.
    """
    query = Query.of(org, table, fields)
    if not org.made(table.type.name):
        return [], False
    order = f" ORDER BY t._stamp, {query.key} LIMIT ?"
    same = f"{query.sql} WHERE t._stamp = ? AND {query.key} > ?{order}"
    later = f"{query.sql} WHERE t._stamp > ?{order}"
    rows = org.rows(same, (since.stamp, since.id, size + 1)) if since.stamp else []
    if len(rows) <= size:
        rows += org.rows(later, (since.stamp, size + 1 - len(rows)))
    return rows[:size], len(rows) > size


def deleted_ids(org: OrgFile, table: Table, since: Cursor | None) -> list[RecordId]:
    """The ids of records that were deleted at the cursor's stamp or later; none without one."""
    if since is None:
        return []
    sql = "SELECT id FROM deleted WHERE type = ? AND stamp >= ? ORDER BY stamp, id"
    return [row[0] for row in org.rows(sql, (table.type.name, since.stamp))]


def scan(
    org: OrgFile, table: Table, fields: Sequence[str], since: Cursor | None, size: int
) -> Iterator[Page]:
    """The pages of a scan. Each is a query of its own, so that writes may come in between."""
    last = since or first_cursor(org.side)
    more, gone = True, deleted_ids(org, table, since)
    while more:
        rows, more = changed_rows(org, table, fields, last, size)
        if rows:
            last = Cursor(rows[-1][1], rows[-1][0])
        yield Page(rows, gone, last, done=not more)
        gone = []


def rows_of_ids(
    org: OrgFile, table: Table, fields: Sequence[str], ids: Sequence[RecordId]
) -> list[Row]:
    """The rows of the ids that exist."""
    query = Query.of(org, table, fields)
    if not org.made(table.type.name):
        return []
    wanted = json.dumps([org.record_id(i) for i in ids])
    sql = f"{query.sql} WHERE {query.key} IN (SELECT value FROM json_each(?))"
    return org.rows(sql, (wanted,))


def found_rows(
    org: OrgFile,
    table: Table,
    fields: Sequence[str],
    key: Sequence[str],
    values: Sequence[tuple[Value, ...]],
) -> list[Row]:
    """The rows whose key fields hold one of the values; the first of them is looked up."""
    forms = [_key_form(table, name) for name in key]
    wanted = {tuple(map(_looked_for, forms, value)) for value in values}
    wanted = {value for value in wanted if not any(part is None or part == "" for part in value)}
    query = Query.of(org, table, (*fields, *key) if len(key) > 1 else (*fields, key[0]))
    if not wanted or not org.made(table.type.name):
        return []
    where = _condition(org, table, query, key[0], len(fields))
    folds = json.dumps(sorted({value[0] for value in wanted}, key=str))
    sql, width = f"{query.sql} WHERE {where}", 2 + len(fields)
    rows = org.rows(sql, (folds,))
    if len(key) == 1:
        return [row[:width] for row in rows]
    return [row[:width] for row in rows if not wanted.isdisjoint(_keys(forms, row[width:]))]


def _key_form(table: Table, name: str) -> str:
    """How a key field is compared: as an `id`, as a `list` by its elements, or as `text`."""
    field = table.type.fields.get(name)
    if field is None:
        return "text"
    if field.kind in (Kind.ID, Kind.REFERENCE):
        return "id"
    return "list" if shape(field) == "json" else "text"


def _looked_for(form: str, value: Value) -> Value:
    if form == "id":
        return full_id(value) if isinstance(value, str) else value
    if isinstance(value, list):
        value = value[0] if value else None
    return folded(value)


def _keys(forms: list[str], values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """All the keys that a row answers to: one for each choice of elements from its lists."""
    choices = [
        [folded(v) for v in value]
        if isinstance(value, list)
        else [value if form == "id" else folded(value)]
        for form, value in zip(forms, values, strict=True)
    ]
    return product(*choices)


def _condition(org: OrgFile, table: Table, query: Query, name: str, at: int) -> str:
    """What the first key field must fulfil; its value is the `at`th of the query's."""
    form = _key_form(table, name)
    if form == "id":
        return f"{query.expressions[at]} IN (SELECT value FROM json_each(?))"
    large = is_large(org, table)
    if form == "list":
        if not _has_elements(org, table, name, large):
            inner = f"SELECT 1 FROM json_each({query.expressions[at]}) AS e"
            return f"EXISTS ({inner} WHERE folded(e.value) IN (SELECT value FROM json_each(?)))"
        return (
            f"{query.key} IN (SELECT id FROM element WHERE type = '{table.type.name}'"
            f" AND attribute = '{name}' AND folded IN (SELECT value FROM json_each(?)))"
        )
    if large and name in table.columns:
        see_index(org, table, name)
    return f"folded({query.expressions[at]}) IN (SELECT value FROM json_each(?))"


def is_large(org: OrgFile, table: Table) -> bool:
    """Whether a table is worth an index."""
    return bool(org.rows(f"SELECT 1 FROM {table.name} LIMIT 1 OFFSET {_SMALL}"))


def see_index(org: OrgFile, table: Table, name: str) -> None:
    """See that a column has an index of its folded text. Raises `StoreError`."""
    index = f"{table.type.name} by {name}"
    if org.rows("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", (index,)):
        return
    with org.transaction():
        org.db.execute(
            f"CREATE INDEX IF NOT EXISTS {quoted(index)} ON {table.name} (folded({quoted(name)}))"
        )


def _has_elements(org: OrgFile, table: Table, name: str, large: bool) -> bool:
    """Whether the elements of a list attribute are indexed, which a large table sees to."""
    at = (table.type.name, name)
    if org.rows("SELECT 1 FROM indexed WHERE type = ? AND attribute = ?", at):
        return True
    if not large or name not in table.shapes:
        return False
    with org.transaction():
        org.db.execute("INSERT OR IGNORE INTO indexed VALUES (?, ?)", at)
        org.db.execute(
            "INSERT OR IGNORE INTO element SELECT ?, ?, folded(e.value), t.id"
            f" FROM {table.name} AS t, json_each(t.{quoted(name)}) AS e",
            at,
        )
    return True
