"""The ledger's public face."""

from engine.ledger.ledger import Ledger
from engine.ledger.records import (
    REVIEW,
    Commit,
    Held,
    Intent,
    LedgerError,
    Link,
    LogRow,
    Pending,
    Tombstone,
    about,
)

__all__ = [
    "REVIEW",
    "Commit",
    "Held",
    "Intent",
    "Ledger",
    "LedgerError",
    "Link",
    "LogRow",
    "Pending",
    "Tombstone",
    "about",
]
