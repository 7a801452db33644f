"""`crosswalk resume`: lets go on what is held for review, and deletions that came all at once."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.cli.letting_go import add_records, let_go
from engine.cli.plan import chosen
from engine.cli.project import Failure, Project
from engine.cli.writing import Session, add_output, writing
from engine.whys import LETS_GO

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.cycle import Summary

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_records(parser)
    parser.add_argument(
        "--link", metavar="ID", help="link the record to this one of the other side, as it is"
    )
    parser.add_argument(
        "--relink",
        action="store_true",
        help="with --link: though that one is linked already; its old link ends",
    )
    add_output(parser)
    parser.epilog = (
        "Decides again on the records that wait for a person, once what was ambiguous is\n"
        "mended, or somebody says with --link which two belong together. With --relink as well,\n"
        "a prospect moves from the lead or contact that it is linked to: the next run decides\n"
        "anew on the one that lost it, and `crosswalk undo` moves it back. A field that was\n"
        "paused, since something on each side kept putting its own value back, is written,\n"
        "and paused again if it goes on to swing. Without --id, deletions go on as well\n"
        "that were held since 20 or more linked records of one type, and a fifth of all, were\n"
        "gone at once. Writes that the other side refused are tried again by `retry`.\n\n"
        "examples:\n"
        "  crosswalk resume\n"
        "  crosswalk resume --type Lead --id 00Q3z00001AmqLYEAZ --link 17\n"
        "  crosswalk resume --type Lead --id 00Q3z00001AmqLYEAZ --link 17 --relink"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Decide again, and print how it went."""
    if args.link is not None and (args.id is None or args.type is None):
        raise Failure("--link needs the record that it is for: --type TYPE --id ID --link OTHER")
    if args.relink and args.link is None:
        raise Failure("--relink says that --link may name a record that is linked: add --link ID")
    return writing(args, project, lambda session: _resume(args, session))


def _resume(args: argparse.Namespace, session: Session) -> Summary:
    if args.id is None:
        only = chosen(session.program, args.type)
        session.ledger.waits.resume(None if only is None else list(only))
    return let_go(args, session, LETS_GO["resume"])
