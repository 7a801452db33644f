"""`crosswalk review`: what is held, and in whose words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dsl.program import types_of_pair
from dsl.schema import Side
from engine.cli.looking import add_format, add_limit, looking
from engine.cli.project import Project
from engine.cli.table import print_csv, print_json, print_table, record_id

if TYPE_CHECKING:
    from engine.ledger import Ledger

__all__ = ["register", "run"]

_HELD = ("review", "paused", "refused", "transient")
_WORDS = {
    "review": "for review",
    "paused": "swings to and fro",
    "refused": "refused",
    "transient": "refused for the moment",
}
_COLUMNS = ("sync", "side", "type", "id", "why", "message", "since")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--type", metavar="T", help="only records of this type")
    parser.add_argument("--why", choices=_HELD, help="only what is held for this reason")
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
        rows = _rows(ledger, args) if ledger is not None else iter(())
        match args.format:
            case "json":
                print_json({"version": 1}, "held", map(_as_json, rows))
            case "csv":
                print_csv(_COLUMNS, (tuple(row.values()) for row in rows))
            case _ if ledger is not None:
                columns = ("held", "record", "since", "message")
                if not print_table(columns, map(_cells, rows)):
                    print("nothing is held", file=sys.stderr)
    return 0


def _rows(ledger: Ledger, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from engine.ledger.looking import waiting

    whys = (args.why,) if args.why else _HELD
    left = args.limit
    for row in list(ledger.rows(waiting(None))):
        types = types_of_pair(row["pair"])
        kind = types.get(Side(row["side"]), "")
        if row["why"] not in whys or (args.type and args.type not in types.values()):
            continue
        if left is not None and left <= 0:
            return
        left = None if left is None else left - 1
        values = (row["pair"], row["side"], kind, record_id(row["record_id"]))
        yield dict(zip(_COLUMNS, (*values, row["why"], row["message"], row["since"]), strict=True))


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    record = {key: row[key] for key in ("side", "type", "id")}
    return {"record": record} | {key: row[key] for key in ("sync", "why", "message", "since")}


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    return _WORDS[row["why"]], f"{row['type']} {row['id']}", row["since"], row["message"]
