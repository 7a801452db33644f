"""The ledger's public face."""

from engine.ledger.ledger import Ledger
from engine.ledger.records import Commit, Intent, LedgerError, Link, LogRow, Pending, Tombstone

__all__ = ["Commit", "Intent", "Ledger", "LedgerError", "Link", "LogRow", "Pending", "Tombstone"]
