"""Values as pages write them: times, changes, ids and conditions in words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from markupsafe import Markup

from dsl.describe import duration_in_words
from dsl.pairs import spoken_pair
from engine.cli.changes import summary_lines
from engine.moments import ago
from engine.whys import WHYS

__all__ = ["FILTERS", "day", "shown"]

_LONG = 200
_TONES = {
    **dict.fromkeys(("created", "updated", "linked", "deleted", "unlinked"), "good"),
    **dict.fromkeys(("refused", "unanswered", "failed"), "bad"),
    **dict.fromkeys(("held", "conflict", "paused", "rejected"), "warn"),
}


def when(value: datetime | str | None, zone: tzinfo) -> str:
    """An instant to the minute, where it is read."""
    if not value:
        return "not yet"
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def since(value: datetime | str | None, zone: tzinfo) -> Markup:
    """How long ago an instant was, or in how long it will be; the instant itself for who asks."""
    if not value:
        return Markup("not yet")
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    mark = Markup('<time datetime="{}" title="{}" data-ago>{}</time>')
    return mark.format(at.isoformat(), when(at, zone), ago(at))


def day(value: str, zone: tzinfo) -> str:
    """The day of an instant, as a heading."""
    return f"{datetime.fromisoformat(value).astimezone(zone):%A, %-d %B %Y}"


def clock(value: datetime | str, zone: tzinfo) -> str:
    """The time of day of an instant."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(zone):%H:%M}"


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


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
    return (name if " <-> " in name else spoken_pair(name)).replace("<->", "↔")


def parted(name: str) -> Markup:
    """A type's name that may be broken between its words where there is no room."""
    words = re.findall(r"[A-Z]?[^A-Z]+|[A-Z]+", name)
    return Markup("<wbr>").join(words)


def marked(text: str) -> Markup:
    """Words of a message, with what stands in backticks as code."""
    parts = [Markup.escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # an odd backtick is one of somebody's value
        return Markup.escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts)
    )


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


def tone(status: str) -> str:
    """Whether a status of the log is good, bad, asks for attention, or is only told."""
    return _TONES.get(status.rpartition(" ")[2], "")


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
    "ago": since,
    "clock": clock,
    "day": day,
    "done": done,
    "every": every,
    "foretold": foretold,
    "marked": marked,
    "number": number,
    "pair": pair,
    "parted": parted,
    "sentence": sentence,
    "shown": shown,
    "side": side,
    "to_second": to_second,
    "tone": tone,
    "when": when,
    "why": why,
}
