"""Pictures of a day: a budget's calls up to its threshold, and the records that were synced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import NamedTuple

from markupsafe import Markup

from dsl.values import stamp
from engine.budget import State
from engine.ledger import Ledger
from engine.ledger.looking import call_windows, written_by_hour
from engine.model import DIRECTIONS
from engine.web.chart import HOURS, Bars, drawn, hours_until

__all__ = ["Synced", "synced_of", "usage_of"]


class Synced(NamedTuple):
    """How many records were written to Outreach and to Salesforce in a day, and a picture of it."""

    into: int
    back: int
    picture: Markup


def synced_of(ledger: Ledger, now: datetime, zone: tzinfo) -> Synced:
    """The records that were written in each of the last 24 hours, by direction."""
    hours = hours_until(now)
    counts = {
        (row["hour"], row["direction"]): row["records"]
        for row in ledger.rows(written_by_hour(stamp(hours[0])))
    }
    values = [
        tuple(counts.get((hour.isoformat()[:13], way.value), 0) for way in DIRECTIONS)
        for hour in hours
    ]
    into, back = (sum(column) for column in zip(*values, strict=True))
    told = f"Records synced in the last 24 hours: {into:,} to Outreach, {back:,} to Salesforce"
    series = [way.value for way in DIRECTIONS]
    return Synced(into, back, drawn(Bars(told, "records", hours, values, series), zone))


def usage_of(ledger: Ledger, budget: State, own: int | None, now: datetime, zone: tzinfo) -> Markup:
    """An SVG of the last 24 hours; a budget of a day is shown as what its calls add up to.

    `own` is how many own calls the budget's period has so far, if that is known: the ledger counts
    those as well that are only reserved.
    """
    # From the day before on, since what a day adds up to begins at its midnight.
    hours = hours_until(now, 2 * HOURS)
    since = hours[0].isoformat()[:13]
    counts = {
        row["start"][:13]: row["used"]
        for row in ledger.rows(call_windows(budget.side, "hour", since))
    }
    values = _values(counts, hours, budget.period, zone)[-HOURS:]
    if own is not None:
        values[-1] = min(values[-1], own)
    what = "calls of each hour" if budget.period == "hour" else "calls of the day so far"
    told = f"{budget.side.title()}: {what}, at most {max(values):,}"
    if budget.threshold is not None:
        told += f", threshold {budget.threshold:,}"
    bars = Bars(
        told,
        "calls",
        hours[-HOURS:],
        [(value,) for value in values],
        (budget.side.value,),
        budget.threshold,
    )
    return drawn(bars, zone)


def _values(
    counts: Mapping[str, int], hours: list[datetime], period: str, zone: tzinfo
) -> list[int]:
    values, total, day = [], 0, None
    for hour in hours:
        count = counts.get(hour.isoformat()[:13], 0)
        if period == "hour":
            values.append(count)
            continue
        local = hour.astimezone(zone).date()
        total = count if local != day else total + count
        day = local
        values.append(total)
    return values
