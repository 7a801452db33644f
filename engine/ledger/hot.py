"""The few statements on the hot path, through the driver: batches in, batches out.

Measured: links by the page through `json_each` cost 1.4 us a row, one by one 8.5; SQLAlchemy's
expression layer would add 10 us a row, so only schema and ordinary queries go through it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from engine.ledger.records import ABOUT, Commit, Intent, Link
from engine.ledger.swinging import begin_anew, paused_among
from engine.model import RecordId, Side

__all__ = ["all_links", "insert_intents", "links_by_id", "other_ids", "transaction", "write_commit"]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[str]).decode
_COLUMN = {Side.SALESFORCE: "salesforce_id", Side.OUTREACH: "outreach_id"}


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, holding the write lock from the start."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def links_by_id(
    connection: sqlite3.Connection, pair: str, side: Side, ids: Sequence[RecordId]
) -> dict[RecordId, Link]:
    """The links of these records of one side, by that side's id."""
    column = _COLUMN[side]
    # CROSS JOIN keeps the ids outermost; a plain JOIN lets SQLite walk the whole table instead.
    rows = connection.execute(
        "SELECT l.salesforce_id, l.outreach_id, l.layout, l.salesforce_base, l.outreach_base"
        f" FROM json_each(?) AS j CROSS JOIN link AS l ON l.pair = ? AND l.{column} = j.value",
        (_encode(ids).decode(), pair),
    )
    links = map(Link._make, rows)
    if side is Side.SALESFORCE:
        return {link.salesforce_id: link for link in links}
    return {link.outreach_id: link for link in links}


def all_links(connection: sqlite3.Connection, pair: str) -> Iterator[Link]:
    """Every link of a pair, in the order of its Salesforce ids."""
    rows = connection.execute(
        "SELECT salesforce_id, outreach_id, layout, salesforce_base, outreach_base FROM link"
        " WHERE pair = ? ORDER BY salesforce_id",
        (pair,),
    )
    return map(Link._make, rows)


def other_ids(
    connection: sqlite3.Connection, pair: str, side: Side, ids: Sequence[RecordId]
) -> dict[RecordId, RecordId]:
    """What each of these records of one side is linked to, where it is."""
    mine, other = _COLUMN[side], _COLUMN[side.other]
    return dict(
        connection.execute(
            f"SELECT l.{mine}, l.{other}"
            f" FROM json_each(?) AS j CROSS JOIN link AS l ON l.pair = ? AND l.{mine} = j.value",
            (_encode(ids).decode(), pair),
        )
    )


def insert_intents(
    connection: sqlite3.Connection, run: str, at: str, intents: Sequence[Intent]
) -> list[int]:
    """Commit the writes that are about to be sent; their change ids, in order."""
    with transaction(connection):
        return _insert(connection, run, at, intents, "sending")


def _insert(
    connection: sqlite3.Connection, run: str, at: str, intents: Sequence[Intent], state: str
) -> list[int]:
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM change").fetchone()
    numbers = range(last + 1, last + 1 + len(intents))
    connection.executemany(
        "INSERT INTO change (id, run, at, pair, layout, action, direction, salesforce_id,"
        " outreach_id, fields, reason, rule, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (number, run, at, *intent[:-1], state)
            for number, intent in zip(numbers, intents, strict=True)
        ],
    )
    return list(numbers)


def write_commit(
    connection: sqlite3.Connection, run: str, at: str, digest: str, commit: Commit
) -> None:
    """One batch's results, in one transaction."""
    with transaction(connection):
        _let_go(connection, commit)
        _write_links(connection, at, commit)
        if commit.noted:
            _insert(connection, run, at, commit.noted, "done")
        connection.executemany(
            "UPDATE change SET state = ?2, salesforce_id = ?3, outreach_id = ?4, error = ?5"
            " WHERE id = ?1",
            commit.answers,
        )
        _write_pending(connection, at, digest, commit)
        connection.executemany(
            "INSERT INTO log (timestamp, run, status, message, internal_type, internal_id,"
            " external_type, external_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(at, run, *row) for row in commit.logs],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO lately (pair, side, record_id, stamp, digest)"
            " VALUES (?, ?, ?, ?, ?)",
            [(pair, side, str(record), *rest) for pair, side, record, *rest in commit.lately],
        )
        if commit.cursor:
            pair, side, place, horizon = commit.cursor
            connection.execute(
                "DELETE FROM lately WHERE pair = ? AND side = ? AND stamp < ?",
                (pair, side, place.stamp),
            )
            connection.execute(
                "INSERT INTO cursor (pair, side, stamp, id, horizon) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (pair, side) DO UPDATE SET stamp = excluded.stamp,"
                " id = excluded.id, horizon = excluded.horizon",
                (pair, side, place.stamp, str(place.id), horizon),
            )


def _let_go(connection: sqlite3.Connection, commit: Commit) -> None:
    """Mark what is held about records that move, or whose link comes or goes, as due."""
    held = connection.execute(
        "SELECT pair, side, record_id, substr(needs_pair, ?), needs_id FROM pending"
        " WHERE needs_pair > ? AND needs_pair < ?",
        (len(ABOUT) + 1, ABOUT, ABOUT + "\uffff"),
    ).fetchall()
    if not held:
        return
    moved: dict[str, set[str]] = defaultdict(set)
    for pair, ids in commit.moved.items():
        moved[pair].update(map(str, ids))
    for pair, link in commit.links:
        moved[pair].update((link.salesforce_id, str(link.outreach_id)))
    for pair, salesforce_id, _ in commit.unlinks:
        moved[pair].update(_ends(connection, pair, salesforce_id))
    connection.executemany(
        "UPDATE pending SET rules_digest = '' WHERE pair = ? AND side = ? AND record_id = ?"
        " AND why = 'review'",
        [row for *row, pair, ids in held if not moved[pair].isdisjoint(_decode(ids))],
    )


def _ends(connection: sqlite3.Connection, pair: str, salesforce_id: str) -> set[str]:
    """The ids of both records of a link."""
    found = connection.execute(
        "SELECT outreach_id FROM link WHERE pair = ? AND salesforce_id = ?", (pair, salesforce_id)
    )
    return {salesforce_id, *(str(outreach_id) for (outreach_id,) in found)}


def _write_links(connection: sqlite3.Connection, at: str, commit: Commit) -> None:
    for pair, salesforce_id, gone in commit.unlinks:
        connection.execute(
            "INSERT OR REPLACE INTO tombstone SELECT pair, salesforce_id, outreach_id, ?, layout,"
            " salesforce_base, outreach_base, ? FROM link WHERE pair = ? AND salesforce_id = ?",
            (gone, at, pair, salesforce_id),
        )
        connection.execute(
            "DELETE FROM link WHERE pair = ? AND salesforce_id = ?", (pair, salesforce_id)
        )
    # outreach_id stays out of the SET: rewriting its unique index would double an update's cost.
    connection.executemany(
        "INSERT INTO link (pair, salesforce_id, outreach_id, layout, salesforce_base,"
        " outreach_base, linked_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (pair, salesforce_id) DO UPDATE SET layout = excluded.layout,"
        " salesforce_base = excluded.salesforce_base, outreach_base = excluded.outreach_base",
        [(pair, *link, at) for pair, link in commit.links],
    )
    connection.executemany(
        "DELETE FROM tombstone WHERE pair = ? AND salesforce_id = ? AND outreach_id = ?",
        commit.revived,
    )


def _write_pending(connection: sqlite3.Connection, at: str, digest: str, commit: Commit) -> None:
    were_paused = paused_among(connection, commit)
    if commit.seen and connection.execute("SELECT 1 FROM pending LIMIT 1").fetchone():
        connection.executemany(
            "DELETE FROM pending WHERE pair = ? AND side = ? AND record_id = ?",
            [(pair, side, str(record)) for pair, side, record in commit.seen],
        )
    connection.executemany(
        "INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                p.pair,
                p.side,
                str(p.record_id),
                p.why,
                p.needs_pair,
                p.needs_id,
                p.message,
                digest,
                at,
            )
            for p in commit.pending
        ],
    )
    begin_anew(connection, at, were_paused)
