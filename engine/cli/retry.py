"""`crosswalk retry`: try the refused writes again now."""

from __future__ import annotations

import argparse

from engine.cli.letting_go import add_records, let_go
from engine.cli.project import Project
from engine.cli.writing import add_output, writing
from engine.whys import LETS_GO

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_records(parser)
    add_output(parser)
    parser.epilog = (
        "A run of its own over the records whose write the other side refused, for the moment or\n"
        "for good; what is refused again is held again (`crosswalk review`). What waits for a\n"
        "person, since it is ambiguous, paused or too much at once, is let go on by `resume`.\n\n"
        "examples:\n"
        "  crosswalk retry\n"
        "  crosswalk retry --type Lead --id 00Q3z00001AmqLYEAZ"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Try again, and print how it went."""
    return writing(args, project, lambda session: let_go(args, session, LETS_GO["retry"]))
