"""What the ledger knows of fields that swing: their writes of late, and what they are paused at.

Nothing is kept for a field that does not swing. One whose pause ended has one row, which tells from
where on its writes count again.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgspec

from engine.ledger.records import Commit, Link
from engine.model import Side

__all__ = ["Ended", "Swings", "Written", "begin_anew", "paused_among"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode

_PAUSED = "FROM pending AS p INDEXED BY pending_paused WHERE p.why = 'paused'"


class Written(NamedTuple):
    """One update of a linked record: its number, and `[line, before, after]` of each field."""

    number: int
    salesforce_id: str
    layout: int
    direction: str
    fields: list[tuple[int, Any, Any]]


class Ended(NamedTuple):
    """A field that was paused until a record of its pair was decided on again."""

    pair: str
    salesforce_id: str
    outreach_id: int
    line: str


class Swings:
    """Questions about the fields of linked records. Raises `LedgerError`."""

    def __init__(self, driver: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._driver = driver

    def writes(self, pair: str, ids: Sequence[str], since: str) -> list[Written]:
        """What was written over these records since, by their Salesforce ids, the oldest first."""
        with self._driver() as connection:
            rows = connection.execute(
                "SELECT c.id, c.salesforce_id, c.layout, c.direction, c.fields"
                " FROM json_each(?) AS j CROSS JOIN change AS c INDEXED BY change_salesforce_id"
                " ON c.pair = ? AND c.salesforce_id = j.value AND c.action = 'update'"
                " WHERE c.at >= ? AND c.state = 'done' ORDER BY c.id",
                (_encode(ids).decode(), pair, since),
            )
            return [
                Written(number, record, layout, direction, _decode(fields))
                for number, record, layout, direction, fields in rows
            ]

    def uncounted(self, pair: str, ids: Sequence[str]) -> dict[tuple[str, str], int]:
        """Up to which update none counts, by Salesforce id and the key of a line."""
        with self._driver() as connection:
            rows = connection.execute(
                "SELECT s.salesforce_id, s.line, s.until FROM json_each(?) AS j"
                " CROSS JOIN swing AS s ON s.pair = ? AND s.salesforce_id = j.value",
                (_encode(ids).decode(), pair),
            )
            return {(record, line): until for record, line, until in rows}

    def paused(self, pair: str, links: Sequence[Link]) -> dict[str, dict[str, str]]:
        """What lines are paused at, by Salesforce id and the line's key."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        with self._driver() as connection:
            if not _any_paused(connection):
                return found
            for side in Side:
                ids = {str(link.id(side)): link.salesforce_id for link in links}
                rows = connection.execute(
                    f"SELECT p.record_id, p.needs_pair, p.needs_id {_PAUSED} AND p.pair = ?"
                    " AND p.side = ? AND p.record_id IN (SELECT value FROM json_each(?))",
                    (pair, side, _encode(list(ids)).decode()),
                )
                for record, line, place in rows:
                    found[ids[record]][line] = place
        return found


def _any_paused(connection: sqlite3.Connection) -> bool:
    return connection.execute(f"SELECT 1 {_PAUSED} LIMIT 1").fetchone() is not None


def paused_among(connection: sqlite3.Connection, commit: Commit) -> list[Ended]:
    """The paused fields of the linked records that a commit has decided on again."""
    if not commit.seen or not _any_paused(connection):
        return []
    seen = {(pair, side, str(record)) for pair, side, record in commit.seen}
    paused = connection.execute(f"SELECT p.pair, p.side, p.record_id, p.needs_pair {_PAUSED}")
    found = []
    for pair, side, record, line in paused.fetchall():
        if (pair, side, record) in seen:
            column = "salesforce_id" if side == Side.SALESFORCE else "outreach_id"
            links = connection.execute(
                f"SELECT salesforce_id, outreach_id FROM link WHERE pair = ? AND {column} = ?",
                (pair, record),
            )
            found += [Ended(pair, left, right, line) for left, right in links]
    return found


def begin_anew(connection: sqlite3.Connection, at: str, were_paused: Sequence[Ended]) -> None:
    """Let no write so far count for those of these fields that are not paused again."""
    connection.executemany(
        "INSERT OR REPLACE INTO swing SELECT :pair, :salesforce_id, :line,"
        " (SELECT coalesce(max(id), 0) FROM change), :at"
        f" WHERE NOT EXISTS (SELECT 1 {_PAUSED} AND p.pair = :pair AND p.needs_pair = :line"
        " AND ((p.side = 'salesforce' AND p.record_id = :salesforce_id)"
        "  OR (p.side = 'outreach' AND p.record_id = CAST(:outreach_id AS TEXT))))",
        [{**ended._asdict(), "at": at} for ended in were_paused],
    )
