"""What a ledger may forget: what was done long ago, and no longer says what is to be done.

Links, bases, cursors, what waits and writes without an answer are never touched.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from engine.ledger.words import delete

__all__ = ["Pruned", "forget_old", "shrink"]

_OLD_RUN = "run IN (SELECT id FROM old_run)"


@dataclass(frozen=True)
class Pruned:
    """How many rows were, or would be, removed; `bared` tombstones have lost their bases alone."""

    runs: int
    changes: int
    logs: int
    plans: int
    tombstones: int
    bared: int


def forget_old(connection: sqlite3.Connection, before: str, buried: str) -> Pruned:
    """Remove what ended before a stamp, within a transaction of the caller's.

    Tombstones go by `buried`. A run goes with all that it did, or stays with all of it, so that
    what can be undone at all can be undone whole. The last run stays, and one with a write that has
    no answer.
    """
    connection.execute("DROP TABLE IF EXISTS temp.old_run")
    connection.execute(
        "CREATE TEMP TABLE old_run AS SELECT id FROM run"
        " WHERE coalesce(finished_at, started_at) < ?"
        " AND id <> (SELECT id FROM run ORDER BY started_at DESC, id DESC LIMIT 1)"
        " AND id NOT IN (SELECT run FROM change WHERE state = 'sending')",
        (before,),
    )
    tombstones = _drop_tombstones(connection, buried)
    bared = _bare_tombstones(connection, buried)
    changes = delete(
        connection,
        "change",
        # What was deleted by us along with another record comes back with it, and what a person
        # parted does not: that has to be known for as long as there is a tombstone.
        f"{_OLD_RUN} AND NOT (action IN ('delete', 'unlink') AND EXISTS ("
        "SELECT 1"
        " FROM tombstone AS t WHERE t.pair = change.pair"
        " AND t.salesforce_id = change.salesforce_id AND t.outreach_id = change.outreach_id))",
    )
    logs = delete(connection, "log", _OLD_RUN)
    runs = connection.execute(
        "DELETE FROM run WHERE id IN (SELECT id FROM old_run)"
        " AND id NOT IN (SELECT run FROM change)"
    ).rowcount
    plans = _drop_plans(connection, before)
    connection.execute("DELETE FROM swing WHERE at < ?", (before,))  # as old as what it silences
    connection.execute("DROP TABLE temp.old_run")
    return Pruned(runs, changes, logs, plans, tombstones, bared)


def _drop_tombstones(connection: sqlite3.Connection, buried: str) -> int:
    """Remove those whose records are both gone, so that none of them can be made again."""
    return connection.execute(
        "DELETE FROM tombstone WHERE at < ? AND EXISTS (SELECT 1 FROM change AS c"
        " WHERE c.pair = tombstone.pair AND c.action = 'delete' AND c.state = 'done'"
        " AND c.salesforce_id = tombstone.salesforce_id"
        " AND c.outreach_id = tombstone.outreach_id)",
        (buried,),
    ).rowcount


def _bare_tombstones(connection: sqlite3.Connection, buried: str) -> int:
    """Empty the bases of those of which one record is left, which is not to get a new partner."""
    layouts = connection.execute(
        "SELECT id, lines FROM layout WHERE id IN (SELECT layout FROM tombstone)"
    ).fetchall()
    done = 0
    for layout, lines in layouts:
        bare = json.dumps([{}] * len(json.loads(lines)), separators=(",", ":")).encode()
        done += connection.execute(
            "UPDATE tombstone SET salesforce_base = ?1, outreach_base = ?1"
            " WHERE at < ?2 AND layout = ?3 AND (salesforce_base <> ?1 OR outreach_base <> ?1)",
            (bare, buried, layout),
        ).rowcount
    return done


def _drop_plans(connection: sqlite3.Connection, before: str) -> int:
    """Remove notes of plans that were carried out; one that is as old is refused from now on."""
    gone = connection.execute("DELETE FROM applied_plan WHERE at < ? AND plan <> ''", (before,))
    if gone.rowcount:
        connection.execute(
            "INSERT INTO applied_plan (plan, run, at) VALUES ('', '', ?1)"
            " ON CONFLICT (plan) DO UPDATE SET at = max(at, ?1)",
            (before,),
        )
    return gone.rowcount


def shrink(connection: sqlite3.Connection) -> None:
    """Give the room of what was removed back to the disk."""
    for words in ("log_words", "change_words"):
        connection.execute(f"INSERT INTO {words}({words}) VALUES ('optimize')")
    if connection.execute("PRAGMA freelist_count").fetchone()[0]:
        connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
