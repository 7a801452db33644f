"""`crosswalk resume`: lets deletions go on that were held because so many came at once."""

from __future__ import annotations

import argparse
import json
import sys

from engine.cli.plan import chosen
from engine.cli.project import Project

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--type", metavar="T", help="only syncs of this type (Lead, prospect, …)")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.epilog = (
        "Where 20 or more linked records of one type, and a fifth of all, are gone at once, a\n"
        "run holds what it would do about them: `crosswalk status` names them. This lets it go\n"
        "on, and the next run carries it out.\n\n"
        "examples:\n"
        "  crosswalk resume\n"
        "  crosswalk resume --type Lead && crosswalk run"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Release what is held; exit code 0."""
    from contextlib import closing

    only = chosen(project.program(), args.type)
    with closing(project.open_ledger()) as ledger:
        count = ledger.resume(None if only is None else list(only))
    if args.format == "json":
        print(json.dumps({"version": 1, "resumed": count}))
    else:
        goes = "deletion goes on" if count == 1 else "deletions go on"
        print(f"{count} {goes} in the next run", file=sys.stderr)
    return 0
