"""`crosswalk prune`: bounds the ledger, by forgetting what was done long ago."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.cli.looking import duration
from engine.cli.project import Project

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.ledger.pruning import Pruned

__all__ = ["register", "run"]

_DEFAULT = timedelta(days=30)


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--older-than",
        type=duration,
        default=_DEFAULT,
        metavar="DURATION",
        help="what ended longer ago than this, such as 90d (default: 30d)",
    )
    parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "Removes old runs with their writes and log rows, notes of saved plans that were carried\n"
        "out, and what was kept of deleted records, for which 15 days are the least; then gives\n"
        "the room back to the disk. Links, what both sides agreed on, what waits and writes\n"
        "without an answer stay. A run that is removed can no longer be undone.\n\n"
        "examples:\n"
        "  crosswalk prune --dry-run\n"
        "  crosswalk prune --older-than 90d"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Prune, and print what went; exit code 0."""
    from dsl.values import stamp
    from engine.clock import SystemClock
    from engine.ledger.locking import run_lock

    path, before = project.ledger_path, stamp(SystemClock().now() - args.older_than)
    if not path.exists():
        _print(args, before, None, (0, 0))
        return 0
    with run_lock(path), closing(project.open_ledger()) as ledger:
        size = ledger.size()
        pruned = ledger.prune(SystemClock().now(), args.older_than, dry=args.dry_run)
        sizes = size, ledger.size()
    _print(args, before, pruned, sizes)
    return 0


def _print(
    args: argparse.Namespace, before: str, pruned: Pruned | None, sizes: tuple[int, int]
) -> None:
    from dataclasses import asdict

    removed = {} if pruned is None else asdict(pruned)
    if args.format == "json":
        told = {"version": 1, "before": before, "dry_run": args.dry_run, "removed": removed}
        print(json.dumps(told | {"bytes": {"before": sizes[0], "after": sizes[1]}}))
        return
    if pruned is None:
        print("nothing has run yet: `crosswalk run`")
        return
    verb = "would remove" if args.dry_run else "removed"
    print(
        f"{verb} what ended before {before}: {pruned.runs:,} runs, {pruned.changes:,} writes,"
        f" {pruned.logs:,} log rows, {pruned.plans:,} notes of saved plans,"
        f" {pruned.tombstones + pruned.bared:,} of deleted records"
    )
    if not args.dry_run:
        print(f"the ledger was {sizes[0] / 1000:,.0f} kB and is {sizes[1] / 1000:,.0f} kB")
