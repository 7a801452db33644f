"""Letting go on what is held: refused writes tried again, reviewed records decided on again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from dsl.program import Program
from dsl.schema import Side
from engine.chosen import Partner
from engine.ledger import Ledger
from engine.ledger.looking import waiting
from engine.model import RecordId
from engine.objection import Objection
from engine.ports import Store

__all__ = ["held_records", "no_partner"]

Records = dict[tuple[str, Side], list[RecordId]]


def held_records(
    ledger: Ledger,
    whys: Collection[str],
    only: frozenset[str] | None = None,
    record: str | None = None,
) -> Records:
    """The records that wait for one of these reasons, by pair and side, the oldest first."""
    found: Records = defaultdict(list)
    rows = [row for row in ledger.rows(waiting(None)) if row["why"] in whys]
    for row in reversed(rows):
        side = Side(row["side"])
        if only is not None and row["pair"] not in only:
            continue
        if record is not None and row["record_id"] != record:
            continue
        known = row["record_id"] if side is Side.SALESFORCE else int(row["record_id"])
        if known not in found[row["pair"], side]:
            found[row["pair"], side].append(known)
    return found


def no_partner(
    program: Program, stores: dict[Side, Store], ledger: Ledger, partner: Partner
) -> list[Objection]:
    """Why two records cannot be linked, if they cannot.

    A partner that `moves` may be linked already.
    """
    pair = next(pair for pair in program.pairs if pair.name == partner.pair)
    found = []
    for side, record in ((partner.side, partner.record), (partner.side.other, partner.other)):
        name = f"{side.title()} {pair.type(side).name} {record}"
        linked = ledger.others(pair.name, side, [record]).get(record)
        if linked is not None and not (partner.moves and side is not partner.side):
            other = f"{pair.type(side.other).name} {linked}"
            message = f"{name} is already linked to {other}"
            if side is not partner.side:
                message += (
                    f": if {linked} and {partner.record} are the same, merge them in"
                    f" {side.other.title()}; with --relink the link of {linked} ends, and"
                    f" {partner.record} gets it"
                )
            found.append(Objection("link", message))
        elif not stores[side].fetch(pair.type(side).name, [], [record]):
            found.append(Objection("link", f"there is no {name}"))
    return found
