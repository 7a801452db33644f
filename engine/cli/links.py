"""`crosswalk links`: which records of the two sides stand for one another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

from engine.cli.looking import add_format, add_limit, looking, reading
from engine.cli.project import Project
from engine.cli.table import print_csv, print_json, print_table

__all__ = ["register", "run"]

_COLUMNS = ("salesforce_type", "salesforce_id", "outreach_type", "outreach_id", "linked_at")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--type", metavar="T", help="only links of this type (Lead, prospect, …)")
    parser.add_argument("--id", metavar="ID", help="only the links of this record, of either side")
    add_limit(parser)
    add_format(parser)
    parser.epilog = (
        "examples:\n"
        "  crosswalk links --type Lead\n"
        "  crosswalk links --type prospect --id 17 --format json"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the links; exit code 0."""
    with looking(project, args.format) as ledger:
        if ledger is not None:
            from engine.ledger.looking import Filters, linked

            filters = Filters(type=args.type, id=args.id, limit=args.limit)
            with reading(ledger, linked(filters)) as rows:
                _print(args.format, rows)
        elif args.format != "text":
            _print(args.format, [])
    return 0


def _print(form: str, rows: Iterable[dict[str, Any]]) -> None:
    from engine.told import link_told

    cells = ([row[column] for column in _COLUMNS] for row in rows)
    match form:
        case "json":
            print_json({"version": 1}, "links", map(link_told, rows))
        case "csv":
            print_csv(_COLUMNS, cells)
        case _:
            columns = ("salesforce", "id", "outreach", "id#", "linked at")
            if not print_table(columns, cells):
                print("no such links", file=sys.stderr)
