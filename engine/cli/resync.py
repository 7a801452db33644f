"""`crosswalk resync`: bring newly mapped fields to the records that are linked already."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dsl.program import Program
from dsl.schema import Side
from engine.cli.plan import chosen
from engine.cli.project import Failure, Project
from engine.cli.writing import Session, add_output, add_yes, run_chosen, writing

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.cycle import Summary

__all__ = ["register", "run"]


def register(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--type", metavar="T", help="only records of this type (Lead, prospect, …)")
    parser.add_argument(
        "--field", metavar="F", help="decide this field anew, as if its sides had just met"
    )
    add_yes(parser)
    add_output(parser)
    parser.epilog = (
        "A line that is new to the rules reaches a record when that record next changes; this\n"
        "brings it to all linked records now. With --field, the lines of that field (of either\n"
        "side) are decided anew, so a value map that changed is applied to old records: an empty\n"
        "side takes the other's value, and where both differ the conflict policy decides.\n\n"
        "examples:\n"
        "  crosswalk resync --type Lead\n"
        "  crosswalk resync --type Lead --field stage"
    )


def run(args: argparse.Namespace, project: Project) -> int:
    """Run over all linked records, and print how it went."""
    return writing(args, project, lambda session: _resync(args, session))


def _resync(args: argparse.Namespace, session: Session) -> Summary:
    only = chosen(session.program, args.type)
    names = [p.name for p in session.program.pairs if only is None or p.name in only]
    if args.field is not None:
        _check_field(session.program, names, args.field)
    records = {
        (name, Side.SALESFORCE): [link.salesforce_id for link in session.ledger.all_links(name)]
        for name in names
    }
    fresh = frozenset({args.field}) if args.field is not None else frozenset[str]()
    return run_chosen(args, session, records, fresh=fresh)


def _check_field(program: Program, names: list[str], field: str) -> None:
    from engine.mapping import compile_pair

    labels = {
        end.label
        for pair in program.pairs
        if pair.name in names
        for code in compile_pair(pair).lines
        for end in code.ends.values()
    }
    if field not in labels:
        known = ", ".join(sorted(labels))
        raise Failure(f"no line maps a field `{field}`: there are {known}")
