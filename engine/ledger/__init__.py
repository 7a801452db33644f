"""The ledger's public face."""

from engine.ledger.ledger import Ledger
from engine.ledger.records import Commit, Intent, LedgerError, Link, LogRow, Pending, Tombstone
from engine.ledger.swinging import Lately

__all__ = [
    "Commit",
    "Intent",
    "Lately",
    "Ledger",
    "LedgerError",
    "Link",
    "LogRow",
    "Pending",
    "Tombstone",
]
