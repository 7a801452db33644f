"""Rules as they stand where a person asks for records by hand: inbound create is let through."""

from __future__ import annotations

from dataclasses import replace

from dsl.program import OFF, Pair, Program
from engine.mapping import Mapping

__all__ = ["asked", "asked_program"]

_OPENED = ("polling", "inbound create")
_CLOSED = ("pushing", "outbound create", "outbound update", "outbound delete")


def asked(mapping: Mapping, why: str) -> Mapping:
    """A compiled pair that creates whatever it is shown, and writes nothing to Salesforce.

    Compiled from the rules as they are, so that its bases are those of every other run.
    """
    conditions = mapping.conditions | dict.fromkeys(_OPENED)
    return replace(mapping, pair=_asked_pair(mapping.pair), conditions=conditions, by_hand=why)


def asked_program(program: Program, pair: str) -> Program:
    """The rules with one pair as it is asked for."""
    pairs = tuple(_asked_pair(p) if p.name == pair else p for p in program.pairs)
    return replace(program, pairs=pairs)


def _asked_pair(pair: Pair) -> Pair:
    opened = {name: replace(pair.toggle(name), on=True, when=None) for name in _OPENED}
    return replace(pair, toggles={**pair.toggles, **opened, **dict.fromkeys(_CLOSED, OFF)})
