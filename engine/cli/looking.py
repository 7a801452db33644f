"""What the commands that look into the ledger share: their options, and a project not yet run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from engine.cli.project import Project
from engine.moments import length_of_time, point_in_time

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
]

_Parsed = TypeVar("_Parsed")


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
    return _parsed(length_of_time, text)


def moment(text: str) -> timedelta | datetime:
    """A point in time from the command line: so long ago, or a date with or without a time."""
    return _parsed(point_in_time, text)


def _parsed(parse: Callable[[str], _Parsed], text: str) -> _Parsed:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
