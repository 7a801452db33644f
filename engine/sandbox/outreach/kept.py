"""What the server itself keeps in the org's file, so that it outlives a restart: JSON by kind."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from engine.stores.local.org import OrgFile

__all__ = ["Kept"]

_TABLE = (
    "CREATE TABLE IF NOT EXISTS sandbox (kind TEXT, id INTEGER, document TEXT NOT NULL,"
    " PRIMARY KEY (kind, id)) WITHOUT ROWID"
)


class Kept:
    """Documents of one kind by their ids, which count up and are never used again."""

    def __init__(self, org: OrgFile, kind: str) -> None:
        self._org, self._kind = org, kind

    def all(self) -> dict[int, Any]:
        """All documents by id, in the order of their ids."""
        sql = "SELECT id, document FROM sandbox WHERE kind = ? ORDER BY id"
        return {row[0]: msgspec.json.decode(row[1]) for row in self._rows(sql, self._kind)}

    def get(self, number: int) -> Any:
        """A document, or None."""
        sql = "SELECT document FROM sandbox WHERE kind = ? AND id = ?"
        rows = self._rows(sql, self._kind, number)
        return msgspec.json.decode(rows[0][0]) if rows else None

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._org.db.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise

    def add(self, document: Any) -> int:
        """Keep a new document; its id."""
        with self._org.transaction():
            self._org.db.execute(_TABLE)
            key = f"sandbox {self._kind}"
            sql = "SELECT last FROM counter WHERE type = ?"
            found = self._org.db.execute(sql, (key,)).fetchone()
            number = (found[0] if found else 0) + 1
            sql = "INSERT INTO counter VALUES (?1, ?2) ON CONFLICT (type) DO UPDATE SET last = ?2"
            self._org.db.execute(sql, (key, number))
            self._put(number, document)
        return number

    def put(self, number: int, document: Any) -> None:
        """Keep a document in another's place."""
        with self._org.transaction():
            self._put(number, document)

    def _put(self, number: int, document: Any) -> None:
        sql = "INSERT OR REPLACE INTO sandbox VALUES (?, ?, ?)"
        text = msgspec.json.encode(document).decode()
        self._org.db.execute(sql, (self._kind, number, text))

    def drop(self, number: int) -> None:
        """Keep a document no longer."""
        sql = "DELETE FROM sandbox WHERE kind = ? AND id = ?"
        self._org.db.execute(sql, (self._kind, number))
