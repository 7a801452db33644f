"""What a ledger lets go of by age, in small batches, so that nobody waits long for its lock."""

from __future__ import annotations

from datetime import datetime, timedelta

from dsl.values import stamp
from engine.ledger.ledger import Ledger

__all__ = ["drop_old_log"]

_BATCH = 2_000


def drop_old_log(ledger: Ledger, now: datetime, days: int, batch: int = _BATCH) -> int:
    """Drop the rows of the technical log older than `days` before `now`; how many those were.

    What runs wrote (`change`) stays: undo and explain rest on it. Each batch is a transaction of
    its own; whoever stops it halfway loses nothing. Raises `LedgerError`.
    """
    before = stamp(now - timedelta(days=days))
    dropped = 0
    while found := ledger.drop_log(before, batch):
        dropped += found
        if found < batch:
            break
    return dropped
