"""What the ledger remembers of a record: what was written, the vendor's answers, what waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dsl.schema import Side
from engine.ledger import Ledger
from engine.ledger.logbook import log_rows
from engine.ledger.looking import Filters, waiting_of
from engine.model import RecordId

__all__ = ["history_of", "waits_of"]

_LATEST = 20
_WAITS = {
    "reference": "waits for another record",
    "transient": "refused for the moment: the next run tries again",
    "refused": "refused: held until the record or its rule changes, or `crosswalk retry`",
    "review": "held for review: `crosswalk review`",
    "paused": "a field is paused until it has another value, both agree, or `crosswalk resume`",
    "budget": "waits for calls: `crosswalk limits`",
    "vanished": "its deletion is held, since many are gone at once: `crosswalk resume`",
    "resumed": "its deletion goes on with the next run",
}


def history_of(ledger: Ledger, type_name: str, record: RecordId) -> dict[str, Any]:
    """The latest rows of the log that name the record, newest first."""
    filters = Filters(type=type_name, id=str(record), limit=_LATEST)
    rows = [
        {key: row[key] for key in ("timestamp", "status", "message")}
        for row in ledger.rows(log_rows(filters))
    ]
    outcome = f"{rows[0]['status']}: {rows[0]['message']}" if rows else "no run has written it"
    return {"step": "history", "outcome": outcome, "rows": rows}


def waits_of(
    ledger: Ledger, type_name: str, side: Side, record: RecordId
) -> Iterator[dict[str, Any]]:
    """Why the record waits or is held, in the vendor's own words."""
    for row in ledger.rows(waiting_of(side, type_name, str(record))):
        yield {
            "sync": row["pair"],
            "step": row["why"],
            "outcome": f"{_WAITS[row['why']]}: {row['message']}",
            "since": row["since"],
        }
