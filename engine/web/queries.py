"""What pages and the API ask of the ledger alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any

from dsl.values import stamp
from engine.activity import Entry, entries
from engine.ledger import Ledger
from engine.ledger.looking import Filters
from engine.told import budget_told
from engine.web.routes import Ask, Wrong

__all__ = ["activity_of", "filters_of", "limits_told", "moment"]

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"([0-9]{1,9}) ?(?:([smhdw])|(second|minute|hour|day|week)s?)(?: ago)?")
_LONGEST = 100 * 366 * 86_400
_PLACE = re.compile(r"([0-9TZ:.-]{24})/([01])/([0-9]{1,18})")
_USUAL = "30d"


def moment(text: str | None, zone: tzinfo, field: str = "") -> str | None:
    """A point in time as the ledger writes it: so long ago, or a date in the project's zone.

    Raises `Wrong`, which names the `field` that the text is of.
    """
    if text is None:
        return None
    found = re.fullmatch(_LENGTH, text)
    if found is not None:
        seconds = min(int(found[1]) * _SECONDS[found[2] or found[3][0]], _LONGEST)
        return stamp(datetime.now(UTC) - timedelta(seconds=seconds))
    try:
        at = datetime.fromisoformat(text)
        return stamp((at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        raise Wrong(
            f"`{text}` is no point in time: write how long ago, such as 12h or `2 days ago`,"
            " or a date, such as 2026-03-31",
            field=field,
        ) from None


def filters_of(ask: Ask, limit: int | None) -> Filters:
    """The filters of the log that a query names."""
    zone = ask.service.config.timezone
    return Filters(
        status=ask.text("status"),
        type=ask.text("type"),
        id=ask.text("id"),
        run=ask.text("run"),
        since=moment(ask.text("since") or _USUAL, zone, "since"),
        until=moment(ask.text("until"), zone, "until"),
        search=ask.text("search"),
        after=_place(ask.text("after")),
        limit=limit,
    )


def _place(text: str | None) -> tuple[str, int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(_PLACE, text)
    if found is None:
        raise Wrong(f"`{text}` is no row of the log: take the `row` of one")
    return found[1], int(found[2]), int(found[3])


def activity_of(ask: Ask, ledger: Ledger, limit: int) -> Iterator[Entry]:
    """The history that a query asks for."""
    kind, kept = ask.text("kind"), ask.text("type")
    if kind not in (None, "rules", "synced"):
        raise Wrong("`kind` is `rules` or `synced`")
    since = moment(ask.text("since"), ask.service.config.timezone, "since")
    found = entries(ledger, since=since, rules=kind != "synced", synced=kind != "rules")
    return islice((e for e in found if kept is None or e.concerns(kept)), limit)


def limits_told(ask: Ask, ledger: Ledger) -> dict[str, Any]:
    """The documented JSON of `limits`."""
    budgets = [budget_told(each) for each in ask.service.budgets()]
    return {"budgets": budgets, "waiting": ledger.calls.waiting()}
