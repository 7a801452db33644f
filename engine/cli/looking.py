"""What the commands that look into the ledger share: their options, and a project not yet run."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from engine.cli.project import Project

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.ledger import Ledger
    from engine.ledger.looking import Query

__all__ = [
    "add_format",
    "add_limit",
    "duration",
    "looking",
    "moment",
    "positive",
    "reading",
    "stamp_of",
]

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"([0-9]{1,9}) ?(?:([smhdw])|(second|minute|hour|day|week)s?)(?: ago)?")
_LONGEST = 100 * 366 * 86_400  # as far back as a clock is worth turning


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add `--format text|json|csv`."""
    parser.add_argument("--format", choices=["text", "json", "csv"], default="text")


def add_limit(parser: argparse.ArgumentParser, default: int | None = None) -> None:
    """Add `--limit N`."""
    shown = "no limit" if default is None else default
    parser.add_argument(
        "--limit",
        type=positive,
        metavar="N",
        default=default,
        help=f"at most N rows (default: {shown})",
    )


def positive(text: str) -> int:
    """A count from the command line."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 19 and int(text)):
        raise argparse.ArgumentTypeError(f"`{text}` is no count: write a whole number above 0")
    return int(text)


def duration(text: str) -> timedelta:
    """A length of time from the command line, such as `30d` or `2 days ago`."""
    found = re.fullmatch(_LENGTH, text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(
            f"`{text}` is no length of time: write a number with s, m, h, d or w, such as 30d"
        )
    return timedelta(seconds=min(int(found[1]) * _SECONDS[found[2] or found[3][0]], _LONGEST))


def moment(text: str) -> timedelta | datetime:
    """A point in time from the command line: so long ago, or a date with or without a time."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return duration(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"`{text}` is no point in time: write how long ago, such as 12h or `2 days ago`,"
            " or a date, such as 2026-03-31 or 2026-03-31T12:00"
        ) from None


def stamp_of(point: timedelta | datetime | None, zone: tzinfo) -> str | None:
    """A point in time as the ledger writes it; a time without a zone is the project's."""
    from dsl.values import stamp

    if point is None:
        return None
    if isinstance(point, timedelta):
        return stamp(datetime.now(UTC) - point)
    aware = point if point.tzinfo else point.replace(tzinfo=zone)
    try:
        return stamp(aware.astimezone(UTC))
    except OverflowError:  # the first or last day of the calendar, moved by a zone
        return stamp(point.replace(tzinfo=UTC))


@contextmanager
def looking(project: Project, form: str) -> Iterator[Ledger | None]:
    """The project's ledger; None, and a word to the user, if there is none yet."""
    if not project.ledger_path.exists():
        # A program that reads our output gets its document, and its user the word.
        out = sys.stdout if form == "text" else sys.stderr
        print("nothing has run yet: `crosswalk run`", file=out)
        yield None
        return
    with closing(project.open_ledger()) as ledger:
        yield ledger


@contextmanager
def reading(ledger: Ledger, query: Query) -> Iterator[Iterator[dict[str, Any]]]:
    """The rows of a query, let go of before the ledger closes though half of them were not read.

    That happens when the reader of our output goes away, as `head` does.
    """
    rows = ledger.rows(query)
    try:
        yield rows
    finally:
        if isinstance(rows, Generator):
            rows.close()
