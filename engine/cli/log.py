"""`crosswalk log`: what was read, written, refused and held, the newest first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.cli.looking import add_format, add_limit, duration, looking, reading
from engine.cli.project import Project
from engine.cli.table import print_csv, print_json, print_table, record_id

if TYPE_CHECKING:
    from engine.ledger.looking import Filters

__all__ = ["register", "run"]

_COLUMNS = (
    "timestamp",
    "status",
    "message",
    "internal_type",
    "internal_id",
    "external_type",
    "external_id",
)


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--status", metavar="S", help="only rows of this status (updated, refused, conflict, …)"
    )
    parser.add_argument("--type", metavar="T", help="only rows of this type (Lead, prospect, …)")
    parser.add_argument("--id", metavar="ID", help="only rows of this record, of either side")
    parser.add_argument("--run", metavar="RUN", help="only rows of this run; `last` for the last")
    parser.add_argument(
        "--since",
        metavar="DURATION",
        type=duration,
        default="30d",
        help="how far back, such as 12h or 2w (default: 30d)",
    )
    add_limit(parser)
    add_format(parser)
    parser.epilog = (
        "Internal is Outreach, external is Salesforce, as on the settings page.\n\n"
        "examples:\n"
        "  crosswalk log --limit 20\n"
        "  crosswalk log --status refused --since 2d\n"
        "  crosswalk log --type Lead --id 00Q3z00001AmqLYEAZ\n"
        "  crosswalk log --run last --format csv > run.csv"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the log; exit code 0."""
    with looking(project, args.format) as ledger:
        if ledger is not None:
            from engine.ledger.looking import log_rows

            with reading(ledger, log_rows(_filters(args))) as rows:
                _print(args.format, map(_row, rows))
        elif args.format != "text":
            _print(args.format, [])
    return 0


def _filters(args: argparse.Namespace) -> Filters:
    from datetime import UTC, datetime

    from dsl.values import stamp
    from engine.ledger.looking import Filters

    return Filters(
        status=args.status,
        type=args.type,
        id=args.id,
        run=args.run,
        since=stamp(datetime.now(UTC) - args.since),
        limit=args.limit,
    )


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in _COLUMNS} | {"internal_id": record_id(row["internal_id"])}


def _print(form: str, rows: Iterable[dict[str, Any]]) -> None:
    match form:
        case "json":
            print_json({"version": 1}, "rows", rows)
        case "csv":
            print_csv(_COLUMNS, (tuple(row.values()) for row in rows))
        case _:
            columns = ("time", "status", "salesforce", "outreach", "message")
            if not print_table(columns, map(_cells, rows)):
                print("no such rows in the log; --since looks further back", file=sys.stderr)


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    salesforce = f"{row['external_type'] or ''} {row['external_id'] or ''}"
    outreach = f"{row['internal_type'] or ''} {row['internal_id'] or ''}"
    return row["timestamp"], row["status"], salesforce, outreach, row["message"]
