"""Keeps the log's index of words: a run's rows join it all at once, which costs a tenth as much."""

from __future__ import annotations

import sqlite3

__all__ = ["delete", "learn"]

_TABLES = ("log", "change")


def learn(connection: sqlite3.Connection) -> None:
    """Take what is new into the index, within a transaction of the caller's."""
    for table in _TABLES:
        connection.execute(
            f"INSERT INTO {table}_words(rowid, message, kind) SELECT id, message, kind"
            f" FROM {table}_text WHERE id > (SELECT number FROM words_upto WHERE source = ?)",
            (table,),
        )
        connection.execute(
            f"UPDATE words_upto SET number = (SELECT coalesce(max(id), 0) FROM {table})"
            " WHERE source = ?",
            (table,),
        )


def delete(connection: sqlite3.Connection, table: str, where: str, *values: object) -> int:
    """Delete rows of `log` or `change`, and their words; how many those were.

    Within a transaction of the caller's. The index has to be told what it held of each.
    """
    connection.execute(
        f"INSERT INTO {table}_words({table}_words, rowid, message, kind)"
        f" SELECT 'delete', id, message, kind FROM {table}_text"
        f" WHERE id IN (SELECT id FROM {table} WHERE {where})"
        " AND id <= (SELECT number FROM words_upto WHERE source = ?)",
        (*values, table),
    )
    count = connection.execute(f"DELETE FROM {table} WHERE {where}", values).rowcount
    # The numbers of the newest rows are given anew once these are gone.
    connection.execute(
        f"UPDATE words_upto SET number = min(number, (SELECT coalesce(max(id), 0) FROM {table}))"
        " WHERE source = ?",
        (table,),
    )
    return count
