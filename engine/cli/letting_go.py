"""What `retry` and `resume` share: which held records they let go on, and the run over them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dsl.pairs import types_of_pair
from dsl.schema import Side
from engine.cli.plan import chosen
from engine.cli.project import Failure
from engine.cli.writing import Session, add_yes, run_chosen
from engine.whys import LETS_GO

if TYPE_CHECKING:  # `--help` must not wait for a database
    from engine.chosen import Partner
    from engine.cycle import Summary

__all__ = ["add_records", "let_go"]


def add_records(parser: argparse.ArgumentParser) -> None:
    """Add `--type`, `--id` and `--yes`."""
    parser.add_argument("--type", metavar="T", help="only records of this type (Lead, prospect, …)")
    parser.add_argument("--id", metavar="ID", help="only this record; needs --type")
    add_yes(parser)


def let_go(args: argparse.Namespace, session: Session, whys: frozenset[str]) -> Summary:
    """Run over the records that are held for these reasons."""
    from engine.again import held_records, no_partner
    from engine.named import record_named

    only = chosen(session.program, args.type)
    unpaused = "paused" in whys
    if args.id is None:
        records = held_records(session.ledger, whys, only)
        return run_chosen(args, session, records, unpaused=unpaused)
    if args.type is None:
        raise Failure("--id needs the record's type: --type TYPE --id ID")
    side, record = record_named(session.program, args.type, args.id)
    held = held_records(session.ledger, whys, only, str(record))
    held = {key: ids for key, ids in held.items() if key[1] is side}
    if not held:
        raise Failure(_not_held(args, session, only, side, str(record)), 1)
    if getattr(args, "link", None) is None:
        return run_chosen(args, session, held, unpaused=unpaused)
    partner = _partner(args, session, next(iter(held)), record)
    objections = no_partner(session.program, session.stores, session.ledger, partner)
    if objections:
        raise Failure("\n".join(each.message for each in objections), 1)
    return run_chosen(args, session, held, partner=partner)


def _not_held(
    args: argparse.Namespace,
    session: Session,
    only: frozenset[str] | None,
    side: Side,
    record: str,
) -> str:
    """Why a command does not let a record go on: it is not held, or is another command's."""
    from engine.again import held_records

    name = f"{args.type} {args.id}"
    for command, whys in LETS_GO.items():
        held = held_records(session.ledger, whys, only, record)
        if any(at is side for _, at in held):
            why = "its write was refused" if command == "retry" else "it waits for a person"
            return (
                f"{name} is held since {why}: `crosswalk {command} --type {args.type} --id"
                f" {args.id}` lets it go on"
            )
    return f"{name} is not held: `crosswalk review` lists what is"


def _partner(
    args: argparse.Namespace, session: Session, name: tuple[str, Side], record: str | int
) -> Partner:
    from engine.chosen import Partner
    from engine.named import record_named

    pair, side = name
    types = types_of_pair(pair)
    _, other = record_named(session.program, types[side.other], args.link)
    return Partner(pair, side, record, other, args.relink)
