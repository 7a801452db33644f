"""`crosswalk review`: what is held, and in whose words."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from engine.cli.looking import add_format, add_limit, looking
from engine.cli.project import Project
from engine.cli.table import print_csv, print_json, print_table
from engine.whys import REVIEWED

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--type", metavar="T", help="only records of this type")
    parser.add_argument("--why", choices=list(REVIEWED), help="only what is held for this reason")
    add_limit(parser)
    add_format(parser)
    parser.epilog = (
        "A refused write is held until its record or the rules change; one refused for the moment\n"
        "is tried again by the next run. `retry` tries both again now. What is held for review\n"
        "waits for a person: mend it on either side, then `resume`, or say there which two\n"
        "records belong together.\n\n"
        "examples:\n"
        "  crosswalk review\n"
        "  crosswalk review --why refused --format csv > refused.csv\n"
        "  crosswalk retry --type Lead\n"
        "  crosswalk resume --type Lead --id 00Q3z00001AmqLYEAZ --link 17"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print what is held; exit code 0."""
    with looking(project, args.format) as ledger:
        from engine.told import HELD_COLUMNS, held_rows, held_told

        whys = frozenset((args.why,) if args.why else REVIEWED)
        rows = iter(()) if ledger is None else held_rows(ledger, whys, args.type, args.limit)
        match args.format:
            case "json":
                print_json({"version": 1}, "held", map(held_told, rows))
            case "csv":
                print_csv(HELD_COLUMNS, (tuple(row.values()) for row in rows))
            case _ if ledger is not None:
                columns = ("held", "record", "since", "message")
                if not print_table(columns, map(_cells, rows)):
                    print("nothing is held", file=sys.stderr)
    return 0


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    return REVIEWED[row["why"]], f"{row['type']} {row['id']}", row["since"], row["message"]
