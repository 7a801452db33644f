"""`crosswalk resume`: let go on what is held for review."""

from __future__ import annotations

import argparse

from engine.cli.letting_go import add_records, let_go
from engine.cli.project import Failure, Project
from engine.cli.writing import add_output, writing

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_records(parser)
    parser.add_argument(
        "--link", metavar="ID", help="link the record to this one of the other side, as it is"
    )
    add_output(parser)
    parser.epilog = (
        "Decides again on the records that were held for review, once a person has mended what\n"
        "was ambiguous, or says with --link which two belong together.\n\n"
        "examples:\n"
        "  crosswalk resume\n"
        "  crosswalk resume --type Lead --id 00Q3z00001AmqLYEAZ --link 17"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Decide again, and print how it went."""
    if args.link is not None and (args.id is None or args.type is None):
        raise Failure("--link needs the record that it is for: --type TYPE --id ID --link OTHER")
    return writing(args, project, lambda session: let_go(args, session, {"review"}))
