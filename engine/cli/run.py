"""`crosswalk run`: one cycle, from which the next one goes on whatever happens to this one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.plan import chosen
from engine.cli.project import Failure, Project
from engine.cli.writing import Session, add_output, add_yes, writing

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.cycle import Summary
    from engine.objection import Objection

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--plan", metavar="FILE", help="carry out exactly this saved plan, once, and nothing else"
    )
    parser.add_argument("--type", metavar="T", help="only syncs of this type (Lead, prospect, …)")
    parser.add_argument("--once", action="store_true", help="one cycle and no more (the default)")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="where a budget, or a vendor's own limit, is spent, wait for its reset and go on",
    )
    add_yes(parser)
    add_output(parser)
    parser.epilog = (
        "Ctrl-C stops after the batch at work; the next run goes on from there. Exit code 1 says\n"
        "that records were held for review or refused (`crosswalk status` names them), that the\n"
        "rules' `guard` stopped the run before its first write, that something waits for calls\n"
        "(`crosswalk limits`; later runs carry on), or that a plan was refused, since what it\n"
        "rests on has moved.\n\n"
        "examples:\n"
        "  crosswalk run\n"
        "  crosswalk run --yes\n"
        "  crosswalk run --wait\n"
        "  crosswalk plan --out plan.toml && crosswalk run --plan plan.toml\n"
        "  crosswalk run --type Account --format json --changes"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Run one cycle, or a saved plan, and print how it went."""
    if args.plan is None:
        return writing(args, project, lambda session: _cycle(args, session))
    if args.type is not None:
        raise Failure("a saved plan names its types itself: leave out --type")
    from engine.planfile import read

    plan = read(Path(args.plan))

    def planned(session: Session) -> Summary:
        from engine.approved import run_plan

        return run_plan(
            *session.world,
            plan,
            report=session.report,
            stop=session.stop,
            progress=session.progress,
        )

    return writing(args, project, planned)


def _cycle(args: argparse.Namespace, session: Session) -> Summary:
    """A cycle over all that changed, if the guard lets it."""
    from engine.cycle import run_cycle

    program, stores, ledger, zone = session.world
    only = chosen(program, args.type)

    def guarded(_run: str) -> list[Objection]:
        if args.yes or not program.guards:
            return []
        from engine.guard import blast_of

        blast = blast_of(program, stores, ledger, zone, only=only, stop=session.stop)
        return blast.objections(program, ledger, zone)

    return run_cycle(
        program,
        stores,
        ledger,
        zone,
        only=only,
        yes=args.yes,
        before=guarded,
        report=session.report,
        stop=session.stop,
        progress=session.progress,
    )
