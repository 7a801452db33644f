"""Whose turn it is to be looked at: a place in a pair's links that goes round and round."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from engine.ledger.hot import transaction
from engine.model import RecordId, Side

__all__ = ["Turns"]

_COLUMN = {Side.SALESFORCE: "salesforce_id", Side.OUTREACH: "outreach_id"}


class Turns:
    """Places in the links of each pair's sides. Raises `LedgerError`."""

    def __init__(self, driver: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._driver = driver

    def following(self, pair: str, side: Side, count: int) -> list[RecordId]:
        """The next linked records of a side in the order of ids; after the last comes the first."""
        column = _COLUMN[side]
        sql = f"SELECT {column} FROM link WHERE pair = ? AND {column} {{}} ? ORDER BY 1 LIMIT ?"
        with self._driver() as connection:
            last = self._last(connection, pair, side)
            found = [row[0] for row in connection.execute(sql.format(">"), (pair, last, count))]
            if len(found) < count:
                rest = (pair, last, count - len(found))
                found += [row[0] for row in connection.execute(sql.format("<="), rest)]
        return found

    def pass_(self, pair: str, side: Side, record: RecordId) -> None:
        """All up to this record have been looked at."""
        with self._driver() as connection, transaction(connection):
            connection.execute("INSERT OR REPLACE INTO turn VALUES (?, ?, ?)", (pair, side, record))

    def _last(self, connection: sqlite3.Connection, pair: str, side: Side) -> RecordId:
        row = connection.execute(
            "SELECT last FROM turn WHERE pair = ? AND side = ?", (pair, side)
        ).fetchone()
        if row is None:
            return "" if side is Side.SALESFORCE else 0
        return str(row[0]) if side is Side.SALESFORCE else int(row[0])
