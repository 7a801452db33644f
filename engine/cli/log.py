"""`crosswalk log`: what was read, written, refused and held, the newest first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.cli.looking import add_format, add_limit, looking, moment, reading
from engine.cli.project import Project
from engine.cli.table import print_csv, print_json, print_table
from engine.moments import stamp_of

if TYPE_CHECKING:
    from engine.ledger.looking import Filters

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--status", metavar="S", help="only rows of this status (updated, refused, conflict, …)"
    )
    parser.add_argument("--type", metavar="T", help="only rows of this type (Lead, prospect, …)")
    parser.add_argument("--id", metavar="ID", help="only rows of this record, of either side")
    parser.add_argument("--run", metavar="RUN", help="only rows of this run; `last` for the last")
    parser.add_argument("--search", metavar="TEXT", help="only rows whose message holds this")
    parser.add_argument(
        "--since",
        metavar="WHEN",
        type=moment,
        default="30d",
        help="from when on: 12h, `2 days ago`, 2026-03-31 (default: 30d)",
    )
    parser.add_argument("--until", metavar="WHEN", type=moment, help="up to when, as --since")
    parser.add_argument(
        "--after",
        metavar="ROW",
        type=_place,
        help="only rows that come after this one: the `row` of the last one of a page in JSON",
    )
    add_limit(parser)
    add_format(parser)
    parser.epilog = (
        "Internal is Outreach, external is Salesforce, as on the settings page.\n\n"
        "examples:\n"
        "  crosswalk log --limit 20\n"
        "  crosswalk log --status refused --since '2 days ago'\n"
        "  crosswalk log --search 'too long' --until 2026-03-31\n"
        "  crosswalk log --type Lead --id 00Q3z00001AmqLYEAZ\n"
        "  crosswalk log --run last --format csv > run.csv"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the log; exit code 0."""
    with looking(project, args.format) as ledger:
        if ledger is not None:
            from engine.ledger.logbook import log_rows
            from engine.told import log_told

            with reading(ledger, log_rows(_filters(args, project))) as rows:
                _print(args.format, map(log_told, rows))
        elif args.format != "text":
            _print(args.format, [])
    return 0


def _place(text: str) -> tuple[str, int, int]:
    from engine.told import log_place

    try:
        return log_place(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _filters(args: argparse.Namespace, project: Project) -> Filters:
    from engine.ledger.looking import Filters

    zone = project.config.timezone
    return Filters(
        status=args.status,
        type=args.type,
        id=args.id,
        run=args.run,
        since=stamp_of(args.since, zone),
        until=stamp_of(args.until, zone),
        search=args.search,
        after=args.after,
        limit=args.limit,
    )


def _print(form: str, rows: Iterable[dict[str, Any]]) -> None:
    from engine.told import LOG_COLUMNS

    match form:
        case "json":
            print_json({"version": 1}, "rows", rows)
        case "csv":
            print_csv(LOG_COLUMNS, ([row[key] for key in LOG_COLUMNS] for row in rows))
        case _:
            columns = ("time", "status", "salesforce", "outreach", "message")
            if not print_table(columns, map(_cells, rows)):
                print("no such rows in the log; --since looks further back", file=sys.stderr)


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    salesforce = f"{row['external_type'] or ''} {row['external_id'] or ''}"
    outreach = f"{row['internal_type'] or ''} {row['internal_id'] or ''}"
    return row["timestamp"], row["status"], salesforce, outreach, row["message"]
