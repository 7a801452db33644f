"""The calls that anybody makes to a local org, counted in its file as the vendors count theirs."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from engine.model import Side
from engine.ports import Usage
from engine.stores.local.org import OrgFile

__all__ = ["count_calls", "usage"]

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
#: Salesforce's `DailyApiRequests` of a small edition, and Outreach's requests an hour of one user.
_MOST = {Side.SALESFORCE: 15_000, Side.OUTREACH: 10_000}
_TABLE = "CREATE TABLE IF NOT EXISTS api_calls (hour TEXT PRIMARY KEY, calls INTEGER) WITHOUT ROWID"


def count_calls(org: OrgFile, calls: int) -> None:
    """Count calls; those to a file that may only be read are not kept."""
    hour = _hour(org.instant()).isoformat()
    try:
        _add(org.db, hour, calls)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            org.db.execute(_TABLE)
            _add(org.db, hour, calls)
        elif "readonly" not in str(error):
            raise


def _add(db: sqlite3.Connection, hour: str, calls: int) -> None:
    db.execute(
        "INSERT INTO api_calls VALUES (?, ?)"
        " ON CONFLICT (hour) DO UPDATE SET calls = calls + excluded.calls",
        (hour, calls),
    )


def usage(org: OrgFile) -> Usage:
    """The calls of the last 24 hours, by the hour, in Salesforce; of this hour in Outreach."""
    now = org.instant()
    hour = _hour(now)
    if org.side is Side.OUTREACH:
        found = _since(org, hour)
        return Usage(sum(found.values()), _MOST[org.side], hour + _HOUR, "hour")
    found = _since(org, hour - _DAY + _HOUR)
    first = min(found, default=hour)
    return Usage(sum(found.values()), _MOST[org.side], first + _DAY, "day")


def _since(org: OrgFile, first: datetime) -> dict[datetime, int]:
    if not org.rows("SELECT 1 FROM sqlite_master WHERE name = 'api_calls'"):
        return {}
    query = "SELECT hour, calls FROM api_calls WHERE hour >= ?"
    rows = org.rows(query, (first.isoformat(),))
    return {datetime.fromisoformat(hour): calls for hour, calls in rows}


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
