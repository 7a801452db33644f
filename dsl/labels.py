"""Which values a field can have, as far as its picklist and the maps that it goes through tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsl.paths import find_field
from dsl.program import FieldRef, Line, Program
from dsl.schema import Field, ObjectType, Schema, Side

__all__ = ["labels_of_field", "labels_of_map"]


def labels_of_field(owner: ObjectType, field: Field, program: Program) -> list[str]:
    """The values of a field: its picklist's, and those that maps have for it."""
    found = list(field.picklist)
    if owner.name == "stage" and field.name == "name":
        found += _stages(program)
    for pair in program.pairs:
        if pair.type(owner.side).name == owner.name:
            found += _mapped(pair.lines, owner.side, field.name)
    return list(dict.fromkeys(found))


def labels_of_map(name: str, side: Side, program: Program, schema: Schema) -> list[str]:
    """What can stand on one side of a map, by the fields of the lines that go through it."""
    found: list[str] = []
    for pair in program.pairs:
        for line in pair.lines:
            end = line.end(side)
            if line.via is not None and line.via.name == name and isinstance(end, FieldRef):
                names = tuple(end.path.split("."))
                field = find_field(schema, pair.type(side), names)
                found += field.picklist if field else ()
    own = program.maps.get(name)
    if side is Side.OUTREACH and own is not None and own.is_stages:
        found += _stages(program)
    return list(dict.fromkeys(found))


def _stages(program: Program) -> Iterator[str]:
    for known in program.maps.values():
        if known.is_stages:
            yield from (str(entry.right) for entry in known.entries)


def _mapped(lines: Iterable[Line], side: Side, name: str) -> Iterator[str]:
    """The labels of the maps through which a field goes."""
    for line in lines:
        end = line.end(side)
        if line.via is None or not isinstance(end, FieldRef) or end.path != name:
            continue
        for entry in line.via.entries:
            yield str(entry.left if side is Side.SALESFORCE else entry.right)
