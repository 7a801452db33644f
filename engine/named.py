"""The record that a person means by a type and an id."""

from __future__ import annotations

from dsl.ids import full_id
from dsl.program import Program
from engine.model import SIDES, RecordId, Side

__all__ = ["NotNamed", "record_named"]

_DIGITS = 18  # of a whole number that SQLite holds


class NotNamed(ValueError):
    """No record can be meant by these words, and why, in a sentence for the user."""


def record_named(program: Program, type_name: str, given: str) -> tuple[Side, RecordId]:
    """The side and the id of a record of a type that the rules sync. Raises `NotNamed`."""
    known = {pair.type(side).name: side for pair in program.pairs for side in SIDES}
    side = known.get(type_name)
    if side is None:
        names = ", ".join(sorted(known))
        raise NotNamed(f"no sync of a type `{type_name}`: the rules sync {names}")
    if side is Side.SALESFORCE:
        return side, full_id(given)
    if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS):
        raise NotNamed(f"`{given}` is no id of Outreach: those are whole numbers")
    return side, int(given)
