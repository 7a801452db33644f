"""`crosswalk activity`: what was synced, and what changed in the rules, the newest first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from engine.cli.looking import add_format, add_limit, looking, moment
from engine.cli.project import Project
from engine.cli.table import print_csv, print_json, print_table
from engine.moments import stamp_of

if TYPE_CHECKING:
    from engine.activity import Entry
    from engine.ledger import Ledger

__all__ = ["register", "run"]

_SHOWN = 100


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--rules", action="store_true", help="only what changed in the rules")
    only.add_argument("--synced", action="store_true", help="only what was synced")
    parser.add_argument("--type", metavar="T", help="only rows of this type (Lead, prospect, …)")
    parser.add_argument(
        "--since",
        metavar="WHEN",
        type=moment,
        help="from when on: 12h, `2 days ago`, 2026-03-31 (default: all that is kept)",
    )
    add_limit(parser, _SHOWN)
    add_format(parser)
    parser.epilog = (
        "A change of the rules is told with the first run that went by it.\n\n"
        "examples:\n"
        "  crosswalk activity --since 1w\n"
        "  crosswalk activity --rules --type Lead\n"
        "  crosswalk activity --synced --limit 1000 --format csv > synced.csv"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the history; exit code 0."""
    with looking(project, args.format) as ledger:
        if ledger is not None:
            _print(args.format, islice(_wanted(args, project, ledger), args.limit))
        elif args.format != "text":
            _print(args.format, ())
    return 0


def _wanted(args: argparse.Namespace, project: Project, ledger: Ledger) -> Iterator[Entry]:
    from engine.activity import entries

    since = stamp_of(args.since, project.config.timezone)
    for entry in entries(ledger, since=since, rules=not args.synced, synced=not args.rules):
        if args.type is None or entry.concerns(args.type):
            yield entry


def _print(form: str, found: Iterable[Entry]) -> None:
    from engine.told import ACTIVITY_COLUMNS, activity_told

    match form:
        case "json":
            print_json({"version": 1}, "rows", map(activity_told, found))
        case "csv":
            rows_of = ([getattr(each, name) for name in ACTIVITY_COLUMNS] for each in found)
            print_csv(ACTIVITY_COLUMNS, rows_of)
        case _:
            rows = ((e.timestamp, e.type, e.rule or e.run, e.message) for e in found)
            if not print_table(("time", "type", "where", "what"), rows):
                print("nothing of this kind has happened", file=sys.stderr)
