"""Whose turn it is to be looked at: a place in a pair's links that goes round and round."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager

from engine.ledger.hot import transaction
from engine.model import RecordId, Side

__all__ = ["Turns"]

_COLUMN = {Side.SALESFORCE: "salesforce_id", Side.OUTREACH: "outreach_id"}


#: Records that are linked, or that wait for something: nobody need hear of the end of any others.
_KNOWN = (
    "SELECT * FROM (SELECT {column} AS id FROM link"
    " WHERE pair = :pair AND {column} {beyond} :last ORDER BY id LIMIT :count)"
    " UNION SELECT * FROM (SELECT DISTINCT CAST(record_id AS {kind}) AS id FROM pending"
    " WHERE pair = :pair AND side = :side AND CAST(record_id AS {kind}) {beyond} :last"
    " ORDER BY id LIMIT :count) ORDER BY id LIMIT :count"
)


class Turns:
    """Places among the known records of each pair's sides. Raises `LedgerError`."""

    def __init__(self, driver: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._driver = driver

    def following(self, pair: str, side: Side, count: int) -> list[RecordId]:
        """The next records of a side in the order of ids; after the last comes the first."""
        found: list[RecordId] = []
        kind = "TEXT" if side is Side.SALESFORCE else "INTEGER"
        with self._driver() as connection:
            asked = {"pair": pair, "side": side, "last": self._last(connection, pair, side)}
            for beyond in (">", "<="):
                sql = _KNOWN.format(column=_COLUMN[side], kind=kind, beyond=beyond)
                rows = connection.execute(sql, asked | {"count": count - len(found)})
                found += [row[0] for row in rows]
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
