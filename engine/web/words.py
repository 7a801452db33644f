"""Values as pages write them: times in the project's zone, changes, ids and conditions in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from dsl.describe import duration_in_words
from dsl.pairs import spoken_pair
from engine.cli.changes import summary_lines
from engine.whys import WHYS

__all__ = ["FILTERS", "shown"]

_LONG = 200


def when(value: datetime | str | None, zone: tzinfo) -> str:
    """An instant to the minute, where it is read."""
    if not value:
        return "not yet"
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def to_second(value: str, zone: tzinfo) -> str:
    """An instant of the log, where milliseconds would only make it longer."""
    return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def shown(value: Any) -> str:
    """A value in one line."""
    match value:
        case None | "" | []:
            return "(empty)"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(shown, value))
        case _:
            line = " ".join(str(value).split())
            return line if len(line) <= _LONG else line[: _LONG - 1] + "…"


def pair(name: str) -> str:
    """A pair as people read it."""
    return spoken_pair(name).replace("<->", "↔")


def every(value: timedelta | int) -> str:
    """An interval in words."""
    seconds = value if isinstance(value, int) else int(value.total_seconds())
    return duration_in_words(seconds)


def number(value: int | None) -> str:
    """A count with its thousands apart."""
    return "none" if value is None else f"{value:,}"


def why(value: str) -> str:
    """Why a record waits."""
    return WHYS.get(value, value)


def side(value: str) -> str:
    """A system's name."""
    return str(value).title()


def done(counts: Mapping[str, int]) -> str:
    """What a run came to."""
    return summary_lines(defaultdict(int, counts), defaultdict(int), False)[0]


def foretold(counts: Mapping[str, int]) -> str:
    """What a plan comes to."""
    return summary_lines(defaultdict(int, counts), defaultdict(int), True)[0]


FILTERS: dict[str, Callable[..., str]] = {
    "done": done,
    "every": every,
    "foretold": foretold,
    "number": number,
    "pair": pair,
    "shown": shown,
    "side": side,
    "to_second": to_second,
    "when": when,
    "why": why,
}
