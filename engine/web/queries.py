"""What pages and the API ask of the ledger alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from itertools import islice
from typing import Any

from engine.activity import Entry, entries
from engine.ledger import Ledger
from engine.ledger.looking import Filters
from engine.moments import point_in_time, stamp_of
from engine.told import budget_told, log_place
from engine.web.routes import Ask, Wrong

__all__ = ["activity_of", "filters_of", "limits_told", "moment"]

_USUAL = "30d"


def moment(text: str | None, zone: tzinfo) -> str | None:
    """A point in time as the ledger writes it: so long ago, or a date in the project's zone."""
    if text is None:
        return None
    try:
        return stamp_of(point_in_time(text), zone)
    except ValueError as error:
        raise Wrong(str(error)) from None


def filters_of(ask: Ask, limit: int | None) -> Filters:
    """The filters of the log that a query names."""
    zone = ask.service.config.timezone
    return Filters(
        status=ask.text("status"),
        type=ask.text("type"),
        id=ask.text("id"),
        run=ask.text("run"),
        since=moment(ask.text("since") or _USUAL, zone),
        until=moment(ask.text("until"), zone),
        search=ask.text("search"),
        after=_place(ask.text("after")),
        limit=limit,
    )


def _place(text: str | None) -> tuple[str, int, int] | None:
    try:
        return None if text is None else log_place(text)
    except ValueError as error:
        raise Wrong(str(error)) from None


def activity_of(ask: Ask, ledger: Ledger, limit: int) -> Iterator[Entry]:
    """The history that a query asks for."""
    kind, kept = ask.text("kind"), ask.text("type")
    if kind not in (None, "rules", "synced"):
        raise Wrong("`kind` is `rules` or `synced`")
    since = moment(ask.text("since"), ask.service.config.timezone)
    found = entries(ledger, since=since, rules=kind != "synced", synced=kind != "rules")
    return islice((e for e in found if kept is None or e.concerns(kept)), limit)


def limits_told(ask: Ask, ledger: Ledger) -> dict[str, Any]:
    """The documented JSON of `limits`."""
    budgets = [budget_told(each) for each in ask.service.budgets()]
    return {"budgets": budgets, "waiting": ledger.calls.waiting()}
