"""`crosswalk audit`: both sides compared in full, and where they differ from what the rules say."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from engine.cli.looking import add_format, add_limit
from engine.cli.project import Project, able
from engine.cli.table import print_csv, print_json, print_table

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.audit import Difference

__all__ = ["register", "run"]

_COLUMNS = (
    "salesforce_type",
    "salesforce_id",
    "outreach_type",
    "outreach_id",
    "source",
    "target",
    "salesforce_value",
    "outreach_value",
    "why",
    "rule",
)


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_limit(parser)
    add_format(parser)
    parser.epilog = (
        "Reads every record of both sides, whether it changed or not, and writes nothing. Exit\n"
        "code 0 says that the two sides are as the rules say, 1 that they differ somewhere.\n\n"
        "examples:\n"
        "  crosswalk audit\n"
        "  crosswalk audit --format csv > differences.csv"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print the differences; exit code 0 if there are none, else 1."""
    from engine.audit import audit
    from engine.clock import SystemClock

    program = project.program()
    seen: Counter[str] = Counter()

    def compared(sync: str, count: int) -> None:
        seen[sync] = count

    with ExitStack() as stack:
        ledger = project.open_ledger_to_look(stack, program)
        stores = project.open_budgeted(stack, program, ledger)
        program = able(program, stores)
        zone = project.config.timezone
        found = audit(program, stores, ledger, zone, SystemClock(), compared)
        count = _print(args, found)
    print(f"{seen.total():,} records compared, {count:,} differences", file=sys.stderr)
    return 1 if count else 0


def _print(args: argparse.Namespace, found: Iterator[Difference]) -> int:
    """The first differences, as many as are asked for; how many there are in all."""
    count = 0

    def shown() -> Iterator[dict[str, Any]]:
        nonlocal count
        for each in found:
            count += 1
            if args.limit is None or count <= args.limit:
                yield each.as_json()

    match args.format:
        case "json":
            print_json({"version": 1}, "differences", shown())
        case "csv":
            print_csv(_COLUMNS, map(_row, shown()))
        case _:
            columns = ("salesforce", "outreach", "field", "values", "why")
            print_table(columns, map(_cells, shown()))
    return count


def _row(told: dict[str, Any]) -> tuple[object, ...]:
    left, right, values = told["salesforce"], told["outreach"], told["values"]
    ends = left["type"], left["id"], right["type"], right["id"], told["source"], told["target"]
    return *ends, values["salesforce"], values["outreach"], told["why"], told["rule"]


def _cells(told: dict[str, Any]) -> tuple[object, ...]:
    from engine.cli.changes import shown

    names = (f"{r['type']} {r['id'] or ''}" for r in (told["salesforce"], told["outreach"]))
    field = f"{told['source']} / {told['target']}" if told["source"] else ""
    values = " / ".join(map(shown, told["values"].values())) if field else ""
    return *names, field, values, told["why"]
