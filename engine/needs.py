"""What the rules need of each type of each side, for a connection to be checked against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dsl.schema import ObjectType
from engine.compiled import Compiled
from engine.mapping import Mapping
from engine.model import DIRECTIONS, SIDES, Direction, Side
from engine.ports import Need

__all__ = ["needs"]


#: What begins so reads the state of a prospect's sequence, and is no field of the prospect.
_PANEL = (Side.OUTREACH, "sequence")


@dataclass
class _Wanted:
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    acts: set[str] = field(default_factory=set)


def needs(compiled: Compiled) -> dict[Side, list[Need]]:
    """One need for each type that a rule names, by side and in the order of the types' names."""
    wanted: dict[tuple[Side, str], _Wanted] = {}
    for mapping in compiled.mappings.values():
        for side in SIDES:
            one = wanted.setdefault((side, mapping.type_name(side)), _Wanted())
            type_ = mapping.pair.type(side)
            for path in mapping.columns[side]:
                name, dot, _ = path.partition(".")
                if (side, name) == _PANEL:
                    wanted.setdefault((side, "sequenceState"), _Wanted())
                else:
                    one.reads.add(_reference(type_, name) if dot else name)
        for direction in DIRECTIONS:
            one = wanted[direction.target, mapping.type_name(direction.target)]
            one.acts.update(_acts(mapping, direction))
            if one.acts & {"create", "update"}:
                one.writes.update(_written(mapping, direction))
    return {
        side: [_need(name, wanted[at, name]) for at, name in sorted(wanted) if at is side]
        for side in SIDES
    }


def _reference(type_: ObjectType, name: str) -> str:
    """The field behind the word that a dotted path starts with: `AccountId` for `Account`."""
    return next((f.name for f in type_.fields.values() if f.relationship == name), name)


def _acts(mapping: Mapping, direction: Direction) -> Iterator[str]:
    for act in ("create", "update", "delete"):
        if mapping.flows(direction, act):
            yield act


def _written(mapping: Mapping, direction: Direction) -> Iterator[str]:
    for code in mapping.lines:
        flows = code.line.inbound if direction is Direction.INBOUND else code.line.outbound
        name = code.ends[direction.target].name
        if flows and name is not None:
            yield name


def _need(name: str, wanted: _Wanted) -> Need:
    return Need(
        type=name,
        reads=frozenset(wanted.reads),
        writes=frozenset(wanted.writes),
        creates="create" in wanted.acts,
        updates="update" in wanted.acts,
        deletes="delete" in wanted.acts,
    )
