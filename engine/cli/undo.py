"""`crosswalk undo`: put back what a run wrote, where nobody has changed it since."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.project import Failure, Project
from engine.cli.writing import Session, add_output, writing

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.cycle import Summary

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or `last`")
    add_output(parser)
    parser.epilog = (
        "An updated field gets back the value that it had; a created record is deleted if nobody\n"
        "has touched it, and is not created again. What was changed since stays, and is listed;\n"
        "then the exit code is 1. The undoing is a run of its own in the ledger. The other side\n"
        "is left as it is: the two differ from then on, until somebody edits either.\n\n"
        "examples:\n"
        "  crosswalk undo last\n"
        "  crosswalk undo r-20261123-093000-1a2b --format json | jq '.left[]'"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Undo a run, and print how it went."""
    return writing(args, project, lambda session: _undo(args.run, session))


def _undo(name: str, session: Session) -> Summary:
    from engine.ledger.looking import last_run
    from engine.undo import NoSuchRun, undo

    if name == "last":
        name = next((row["id"] for row in session.ledger.rows(last_run())), name)
    try:
        return undo(*session.world, name, report=session.report, stop=session.stop)
    except NoSuchRun as error:
        raise Failure(str(error)) from None
