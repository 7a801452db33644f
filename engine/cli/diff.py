"""`crosswalk diff`: what the rules of another git revision would do differently."""

from __future__ import annotations

import argparse
from collections import Counter
from contextlib import ExitStack
from typing import Any

from dsl.pairs import spoken_pair
from engine.cli.looking import add_format, add_limit
from engine.cli.project import Project, able
from engine.cli.table import print_csv, print_json, print_table

__all__ = ["register", "run"]

_SHOWN = 20
_COLUMNS = ("sync", "side", "type", "id", "what", "field", "before", "after")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("revision", metavar="REV", help="a branch, tag or commit to compare with")
    add_limit(parser, _SHOWN)
    add_format(parser)
    parser.epilog = (
        "Decides on every record twice, with the rules of REV and with those of the working tree,\n"
        "and tells where the working tree's fare differently; writes nothing. --limit bounds how\n"
        "many records are shown, not how many are counted.\n\n"
        "examples:\n"
        "  crosswalk diff HEAD\n"
        "  crosswalk diff main --format csv --limit 100000 > review.csv"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Print what differs; exit code 0."""
    from engine.cli.revision import program_at
    from engine.clock import SystemClock
    from engine.diff import diff

    new, old = project.program(), program_at(project, args.revision)
    counts: Counter[tuple[str, str, str | None]] = Counter()
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        ledger = project.open_ledger_to_look(stack, new)
        stores = project.open_budgeted(stack, new, ledger)
        new, old = able(new, stores), able(old, stores)
        zone = project.config.timezone
        for each in diff(old, new, stores, ledger, zone, SystemClock()):
            counts[each.sync, each.what, each.field] += 1
            if len(rows) < args.limit:
                rows.append(each.as_json())
    _print(args, counts, rows)
    return 0


def _print(
    args: argparse.Namespace,
    counts: Counter[tuple[str, str, str | None]],
    rows: list[dict[str, Any]],
) -> None:
    match args.format:
        case "json":
            summary = [
                {"sync": sync, "what": what, "field": field, "records": count}
                for (sync, what, field), count in counts.most_common()
            ]
            head = {"version": 1, "revision": args.revision, "summary": summary}
            print_json(head, "records", rows)
        case "csv":
            print_csv(_COLUMNS, map(_row, rows))
        case _:
            _print_text(args.revision, counts, rows)


def _print_text(
    revision: str, counts: Counter[tuple[str, str, str | None]], rows: list[dict[str, Any]]
) -> None:
    from engine.cli.changes import shown

    if not counts:
        print(f"every record fares as with the rules of {revision}")
        return
    for (sync, what, field), count in counts.most_common():
        about = f"{field} {what}" if field else what
        print(f"{count:>7,}  {spoken_pair(sync)}: {about}")
    print()
    columns = ("record", "field", "was", "is", "what")
    cells = (
        (
            f"{row['record']['type']} {row['record']['id']}",
            row["field"],
            shown(row["before"]) if row["field"] else row["before"],
            shown(row["after"]) if row["field"] else row["after"],
            row["what"],
        )
        for row in rows
    )
    print_table(columns, cells)
    if counts.total() > len(rows):
        print(f"… and {counts.total() - len(rows):,} more (--limit shows more)")


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    return row["sync"], *row["record"].values(), *(row[key] for key in _COLUMNS[4:])
