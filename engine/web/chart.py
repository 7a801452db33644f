"""Small pictures as SVG: bars by the hour, stacked, with a scale, hours below and a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import ceil, floor, log10

from markupsafe import Markup

__all__ = ["HOURS", "Bars", "drawn", "hours_until", "measure"]

#: How many hours a picture shows.
HOURS = 24
_WIDTH, _HEIGHT = 640.0, 150.0
_LEFT, _TOP, _BOTTOM = 46.0, 14.0, 22.0
_RIGHT = 8.0
_STEPS = (1, 2, 2.5, 5, 10)
_LABELLED = 3  # hours from one label to the next


@dataclass(frozen=True, slots=True)
class Bars:
    """What is drawn: for each hour, oldest first, as many numbers as there are `series`.

    `series` are the classes by which the sheet colours them, `title` tells the whole in words, and
    `unit` what is counted. The threshold is a line across.
    """

    title: str
    unit: str
    hours: Sequence[datetime]
    values: Sequence[Sequence[int]]
    series: Sequence[str]
    threshold: int | None = None


def hours_until(now: datetime, count: int = HOURS) -> list[datetime]:
    """The first moments of the last so many hours, oldest first."""
    last = now.replace(minute=0, second=0, microsecond=0)
    return [last - timedelta(hours=back) for back in range(count - 1, -1, -1)]


def drawn(bars: Bars, zone: tzinfo) -> Markup:
    """The picture; a screen reader hears the title."""
    ticks = _ticks(max(*map(sum, bars.values), bars.threshold or 0, 1))
    scale = (_HEIGHT - _TOP - _BOTTOM) / ticks[-1]
    parts = [
        Markup('<svg class="chart" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">').format(
            _WIDTH, _HEIGHT, bars.title
        ),
        *(_tick(value, scale) for value in ticks),
        *_columns(bars, scale, zone),
    ]
    if bars.threshold is not None:
        parts.append(_threshold(bars.threshold, scale))
    return Markup().join([*parts, Markup("</svg>")])


def _ticks(top: int) -> list[int]:
    """Three or four round numbers from 0 to what is at least `top`."""
    rough = top / 3
    power = 10 ** floor(log10(rough)) if rough >= 1 else 1
    step = next(
        int(s * power) for s in _STEPS if s * power >= rough and s * power == int(s * power)
    )
    return [step * place for place in range(ceil(top / step) + 1)]


def _y(value: float, scale: float) -> float:
    return _HEIGHT - _BOTTOM - value * scale


def _tick(value: int, scale: float) -> Markup:
    y = _y(value, scale)
    return Markup(
        '<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="scale" x="{:.1f}" y="{:.1f}">{}</text>'
    ).format(_LEFT, _WIDTH - _RIGHT, y, y, _LEFT - 6, y + 4, _short(value))


def _short(value: int) -> str:
    for length, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= length:
            return f"{value / length:g}{letter}"
    return str(value)


def _columns(bars: Bars, scale: float, zone: tzinfo) -> list[Markup]:
    wide = (_WIDTH - _LEFT - _RIGHT) / max(len(bars.hours), 1)
    parts = []
    for place, (hour, values) in enumerate(zip(bars.hours, bars.values, strict=True)):
        x, local = _LEFT + place * wide, hour.astimezone(zone)
        height = 0
        for name, value in zip(bars.series, values, strict=True):
            if value:
                parts.append(_bar(name, x + 1.5, wide - 3, height, value, scale))
            height += value
        told = f"{local:%H:%M}: {sum(values):,} {bars.unit}"
        parts.append(
            Markup(
                '<rect class="hit" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                "<title>{}</title></rect>"
            ).format(x, _TOP, wide, _HEIGHT - _TOP - _BOTTOM, told)
        )
        if place and local.hour % _LABELLED == 0:  # at the first it would meet the scale's 0
            text = Markup('<text class="hour" x="{:.1f}" y="{:.1f}">{}</text>')
            parts.append(text.format(x + wide / 2, _HEIGHT - 6, f"{local:%H:%M}"))
    return parts


def _bar(name: str, x: float, wide: float, base: int, value: int, scale: float) -> Markup:
    tall = max(value * scale, 1.0)  # one of thousands is still there to see
    bar = Markup('<rect class="bar {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return bar.format(name, x, _y(base, scale) - tall, wide, tall)


def _threshold(value: int, scale: float) -> Markup:
    y = _y(value, scale)
    return Markup(
        '<line class="threshold" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="threshold-label" x="{:.1f}" y="{:.1f}">threshold {:,}</text>'
    ).format(_LEFT, _WIDTH - _RIGHT, y, y, _WIDTH - _RIGHT, y - 4, value)


def measure(share: float, title: str, state: str) -> Markup:
    """A level bar that is filled to a share of 1, with a mark at the half: what is usual."""
    return Markup(
        '<svg class="measure {}" viewBox="0 0 120 12" preserveAspectRatio="none" role="img"'
        ' aria-label="{}"><rect class="all" width="120" height="12" rx="3"/>'
        '<rect class="part" width="{:.1f}" height="12" rx="3"/>'
        '<line class="mark" x1="60" x2="60" y1="0" y2="12"/></svg>'
    ).format(state, title, 120 * min(max(share, 0.02), 1.0))
