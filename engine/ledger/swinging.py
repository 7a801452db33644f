"""What tells a field that swings: what was lately written to a record, and what is paused.

Nothing is kept for records that do not swing, beside an index of the updates. A record that was let
go on has one row, which tells from where on its writes count again.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec

from engine.ledger.records import Link, Pending
from engine.model import Direction, RecordId, Side

__all__ = ["Lately", "forget", "lately", "let_swing"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


class Lately(NamedTuple):
    """One linked pair of late: `writes` are (direction, line, value as it was sent), oldest first.

    `paused` are the fields that are paused, each by the key of its line with what it was paused at.
    """

    writes: list[tuple[Direction, int, Any]]
    paused: dict[str, str]


def lately(
    connection: sqlite3.Connection,
    pair: str,
    layout: int,
    digest: str,
    links: Sequence[Link],
    since: str,
) -> dict[str, Lately]:
    """What was written since, under these rules, to records that were; by Salesforce id."""
    found: dict[str, Lately] = defaultdict(lambda: Lately([], {}))
    floors = _floors(connection, pair, links)
    rows = connection.execute(
        "SELECT c.id, c.salesforce_id, c.direction, c.fields FROM json_each(?) AS j"
        " CROSS JOIN change AS c ON c.pair = ? AND c.salesforce_id = j.value"
        " AND c.action = 'update' WHERE c.layout = ? AND c.at >= ?"
        " AND c.state IN ('done', 'unknown') ORDER BY c.id",
        (_encode([link.salesforce_id for link in links]).decode(), pair, layout, since),
    )
    for number, record, direction, fields in rows:
        if number > floors.get(record, 0):
            found[record].writes.extend(
                (Direction(direction), line, value) for line, _, value in _decode(fields)
            )
    for record, key, at in _paused(connection, pair, digest, links):
        found[record].paused[key] = at
    return found


def _any_paused(connection: sqlite3.Connection, pair: str) -> bool:
    query = "SELECT 1 FROM pending WHERE pair = ? AND why = 'swing' LIMIT 1"
    return connection.execute(query, (pair,)).fetchone() is not None


def _paused(
    connection: sqlite3.Connection, pair: str, digest: str, links: Sequence[Link]
) -> list[tuple[str, str, str]]:
    """The paused fields of these records: Salesforce id, key of the line, what it was paused at."""
    if not _any_paused(connection, pair):
        return []
    found = []
    for side in Side:
        ids = {str(link.id(side)): link.salesforce_id for link in links}
        rows = connection.execute(
            "SELECT p.record_id, p.needs_pair, p.needs_id FROM json_each(?) AS j"
            " CROSS JOIN pending AS p ON p.pair = ? AND p.side = ? AND p.record_id = j.value"
            " WHERE p.why = 'swing' AND p.rules_digest = ?",
            (_encode(list(ids)).decode(), pair, side, digest),
        )
        found += [(ids[record], key, at) for record, key, at in rows]
    return found


def _floors(connection: sqlite3.Connection, pair: str, links: Sequence[Link]) -> dict[str, int]:
    """Up to which write of a record, by its Salesforce id, none counts any longer."""
    if connection.execute("SELECT 1 FROM swing LIMIT 1").fetchone() is None:
        return {}
    found: dict[str, int] = {}
    for side in Side:
        ids = {str(link.id(side)): link.salesforce_id for link in links}
        rows = connection.execute(
            "SELECT s.record_id, s.until FROM json_each(?) AS j CROSS JOIN swing AS s"
            " ON s.pair = ? AND s.side = ? AND s.record_id = j.value",
            (_encode(list(ids)).decode(), pair, side),
        )
        for record, until in rows:
            known = ids[record]
            found[known] = max(found.get(known, 0), until)
    return found


def forget(
    connection: sqlite3.Connection,
    at: str,
    seen: Sequence[tuple[str, Side, RecordId]],
    again: Sequence[Pending],
) -> None:
    """Begin to count anew for records that no longer swing; `again` are those that still do."""
    pairs = {pair for pair, _, _ in seen if _any_paused(connection, pair)}
    still = {(p.pair, p.side, str(p.record_id)) for p in again if p.why == "swing"}
    ended = [(p, side, str(record)) for p, side, record in seen if p in pairs]
    _begin_anew(connection, at, [each for each in ended if each not in still])


def let_swing(
    connection: sqlite3.Connection, at: str, records: Collection[tuple[str, Side, RecordId]]
) -> None:
    """Let the paused fields of these records go on.

    They wait for the next run as something that was refused for the moment.
    """
    wanted = [(pair, side, str(record)) for pair, side, record in records]
    _begin_anew(connection, at, wanted)
    connection.executemany(
        "INSERT OR REPLACE INTO pending SELECT pair, side, record_id, 'transient', '', '',"
        " min(message), rules_digest, since FROM pending WHERE pair = ? AND side = ?"
        " AND record_id = ? AND why = 'swing' GROUP BY pair, side, record_id",
        wanted,
    )
    connection.executemany(
        "DELETE FROM pending WHERE pair = ? AND side = ? AND record_id = ? AND why = 'swing'",
        wanted,
    )


def _begin_anew(
    connection: sqlite3.Connection, at: str, records: Sequence[tuple[str, str, str]]
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO swing SELECT DISTINCT pair, side, record_id,"
        " (SELECT coalesce(max(id), 0) FROM change), ? FROM pending"
        " WHERE pair = ? AND side = ? AND record_id = ? AND why = 'swing'",
        [(at, *record) for record in records],
    )
