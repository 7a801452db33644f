"""What waits to be looked at again, and which deletions are held."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from engine.ledger.hot import transaction
from engine.ledger.records import Pending
from engine.model import RecordId, Side

__all__ = ["Waits"]


class Waits:
    """Questions about pending records, and what ends their waiting. Raises `LedgerError`."""

    def __init__(self, driver: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._driver = driver

    def ready(
        self, pair: str, digest: str, since: str, limit: int, after: tuple[str, str]
    ) -> list[Pending]:
        """Pending records of a pair that may go on now, after (side, record id), in that order.

        Those are: references whose record is linked by now, what was refused for the moment, or for
        want of calls, before `since` (a run's start), records that were held under other rules than
        `digest`'s or are due since what they were held about has moved, and deletions that were
        held and may go on.
        """
        with self._driver() as connection:
            rows = connection.execute(
                "SELECT p.side, p.record_id, min(p.why) FROM pending AS p WHERE p.pair = :pair"
                " AND (p.side, p.record_id) > (:side, :record)"
                " AND ((p.why IN ('transient', 'budget') AND p.since < :since)"
                " OR p.why = 'resumed'"
                " OR (p.why IN ('refused', 'review', 'paused') AND p.rules_digest <> :digest)"
                " OR (p.why = 'reference' AND (EXISTS (SELECT 1 FROM link AS l"
                "   WHERE l.pair = p.needs_pair AND l.salesforce_id = p.needs_id)"
                "  OR EXISTS (SELECT 1 FROM link AS l"
                "   WHERE l.pair = p.needs_pair AND length(p.needs_id) < 15"
                "   AND l.outreach_id = CAST(p.needs_id AS INTEGER)))))"
                " GROUP BY p.side, p.record_id ORDER BY p.side, p.record_id LIMIT :limit",
                {
                    "pair": pair,
                    "side": after[0],
                    "record": after[1],
                    "digest": digest,
                    "since": since,
                    "limit": limit,
                },
            ).fetchall()
        return [
            Pending(pair, Side(side), _id(Side(side), record), why) for side, record, why in rows
        ]

    def vanished(self, pair: str, side: Side) -> dict[RecordId, str]:
        """Records whose deletion is held since too many are gone: `vanished`, or `resumed`."""
        with self._driver() as connection:
            rows = connection.execute(
                "SELECT record_id, why FROM pending WHERE pair = ? AND side = ?"
                " AND why IN ('vanished', 'resumed')",
                (pair, side),
            ).fetchall()
        return {_id(side, record): why for record, why in rows}

    def contested(self, pair: str) -> dict[str, str]:
        """Salesforce records into which one was merged that has a link too, by the master's id."""
        with self._driver() as connection:
            return dict(
                connection.execute(
                    "SELECT needs_id, record_id FROM pending"
                    " WHERE needs_pair = ? AND why = 'review'",
                    (f"merge {pair}",),
                )
            )

    def forget(self, pair: str, before: str) -> None:
        """Let go of what of a pair has waited for a link since before this time."""
        with self._driver() as connection, transaction(connection):
            connection.execute(
                "DELETE FROM pending WHERE pair = ? AND why = 'reference' AND since < ?",
                (pair, before),
            )

    def resume(self, pairs: Sequence[str] | None = None) -> int:
        """Let the deletions go on that were held since too many were gone; how many those are."""
        only = "" if pairs is None else f" AND pair IN ({', '.join('?' * len(pairs))})"
        with self._driver() as connection, transaction(connection):
            held = f"UPDATE pending SET why = 'resumed' WHERE why = 'vanished'{only}"
            return connection.execute(held, tuple(pairs or ())).rowcount


def _id(side: Side, record: str) -> RecordId:
    return record if side is Side.SALESFORCE else int(record)
