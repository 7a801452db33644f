"""What was last known of a record that is gone, so that a condition can still be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsl.schema import Side
from engine.case import Case
from engine.columns import fields_in
from engine.compile import FIXED, UNSET
from engine.ledger import Link
from engine.model import Direction, Row

__all__ = ["why_kept"]


def why_kept(case: Case, link: Link, direction: Direction) -> str | None:
    """Why a toggle does not let a delete through; None if it does.

    A condition on a value that was never seen does not hold: nothing is deleted on a guess.
    """
    name, source = f"{direction} delete", direction.source
    mapping = case.mapping
    condition = mapping.conditions.get(name)
    if condition is None:
        return None
    bases = case.bases or {}
    known = _known(case, source, bases.get(source, ()))
    for ref in fields_in(mapping.pair.toggle(name).when):
        if ref.side is source and ref.path not in known:
            return f"{name}: the last value of {ref.path} is not known"
    rows = {**case.rows, source: _row(case, source, link, known)}
    left, right = rows.get(Side.SALESFORCE), rows.get(Side.OUTREACH)
    base = (bases.get(Side.SALESFORCE), bases.get(Side.OUTREACH))
    return None if condition(left, right, *base, case.now) else f"{name}: condition does not hold"


def _known(case: Case, side: Side, base: Sequence[Any]) -> dict[str, Any]:
    """The last values of the fields that delete conditions read, where there are any."""
    refs = case.mapping.known
    values = base[len(base) - len(refs) :]
    return {
        ref.path: value
        for ref, value in zip(refs, values, strict=bool(base))
        if ref.side is side and value != UNSET
    }


def _row(case: Case, side: Side, link: Link, known: dict[str, Any]) -> Row:
    mapping = case.mapping
    row: list[Any] = [None] * (FIXED + len(mapping.columns[side]))
    row[0] = link.id(side)
    for path, value in known.items():
        row[mapping.slot(side, path)] = value
    return tuple(row)
