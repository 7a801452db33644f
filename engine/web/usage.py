"""A small picture of a budget: the calls of each hour of a day, or their sum, to the threshold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from markupsafe import Markup

from engine.budget import State
from engine.ledger import Ledger
from engine.ledger.looking import call_windows

__all__ = ["usage_of"]

_HOURS = 24
_WIDTH, _HEIGHT = 480, 96
_BAR = _WIDTH / _HOURS
_ROOM = 12  # above the highest


def usage_of(ledger: Ledger, budget: State, now: datetime, zone: tzinfo) -> Markup:
    """An SVG of the last 24 hours; a budget of a day is shown as what its calls add up to."""
    # From the day before on, since what a day adds up to begins at its midnight.
    hours = _hours(now, 2 * _HOURS)
    since = hours[0].isoformat()[:13]
    counts = {
        row["start"][:13]: row["used"]
        for row in ledger.rows(call_windows(budget.side, "hour", since))
    }
    values = _values(counts, hours, budget.period, zone)
    return _drawn(budget, hours[-_HOURS:], values[-_HOURS:], zone)


def _hours(now: datetime, count: int) -> list[datetime]:
    last = now.replace(minute=0, second=0, microsecond=0)
    return [last - timedelta(hours=back) for back in range(count - 1, -1, -1)]


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


def _drawn(budget: State, hours: list[datetime], values: list[int], zone: tzinfo) -> Markup:
    top = max(*values, budget.threshold or 0, 1)
    scale = (_HEIGHT - _ROOM) / top
    what = "calls of each hour" if budget.period == "hour" else "calls of the day so far"
    told = f"{budget.side.title()}: {what}, at most {max(values):,}"
    if budget.threshold is not None:
        told += f", threshold {budget.threshold:,}"
    parts = [
        Markup('<svg class="usage" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            _WIDTH, _HEIGHT + 16, told
        )
    ]
    for place, (hour, value) in enumerate(zip(hours, values, strict=True)):
        label = f"{hour.astimezone(zone):%H:%M}"
        parts.append(
            Markup(
                '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                "<title>{}: {:,}</title></rect>"
            ).format(
                place * _BAR + 2, _HEIGHT - value * scale, _BAR - 4, value * scale, label, value
            )
        )
        if place % 6 == 0:
            text = Markup('<text x="{:.1f}" y="{}">{}</text>')
            parts.append(text.format(place * _BAR + 2, _HEIGHT + 13, label))
    if budget.threshold is not None:
        y = _HEIGHT - budget.threshold * scale
        line = Markup('<line class="threshold" x1="0" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
        parts.append(line.format(_WIDTH, y, y))
    parts.append(Markup("</svg>"))
    return Markup().join(parts)
