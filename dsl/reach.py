"""Which fields a place of a rule file can name, by the types that it is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dsl import syntax as s
from dsl.activities import ACTIVITY_VARIABLES, RESOURCES
from dsl.paths import SEQUENCE_FIELDS
from dsl.places import Owner, Place, Role
from dsl.schema import Field, ObjectType, Schema, Side

__all__ = ["Types", "field_at", "fields_at", "reached", "sides_of", "type_named", "types_of"]


@dataclass(frozen=True, slots=True)
class Types:
    """The two types that a line or condition stands between; None for one that is not known."""

    salesforce: ObjectType | None
    outreach: ObjectType | None
    variables: frozenset[str] = frozenset()

    def of(self, side: Side) -> ObjectType | None:
        return self.salesforce if side is Side.SALESFORCE else self.outreach


def type_named(schema: Schema, name: str) -> ObjectType | None:
    """The type of either side with this name."""
    return next((found for side in Side if (found := schema.get(side, name))), None)


def types_of(owner: Owner, schema: Schema, modules: Sequence[s.Module]) -> list[Types]:
    """The types around a place: for a group, those of each sync that uses it."""
    if owner.activity:
        return [_of_activity(owner, schema)]
    if owner.item == "test":
        return [_of_record(owner, schema)]
    if owner.item == "sync" and len(owner.names) == 2:
        return [_pair(schema, *owner.names)]
    if owner.item == "fields" and owner.names:
        return [_pair(schema, *names) for names in _users(owner.names[0], modules)]
    return []


def _pair(schema: Schema, salesforce: str, outreach: str) -> Types:
    return Types(schema.get(Side.SALESFORCE, salesforce), schema.get(Side.OUTREACH, outreach))


def _of_activity(owner: Owner, schema: Schema) -> Types:
    word = (owner.activity or "").partition(" ")[0]
    target = owner.target or ("Event" if word == "meeting" else "Task")
    resource = RESOURCES.get(word)
    outreach = schema.get(Side.OUTREACH, resource) if resource else None
    return Types(schema.get(Side.SALESFORCE, target), outreach, ACTIVITY_VARIABLES)


def _of_record(owner: Owner, schema: Schema) -> Types:
    found = type_named(schema, owner.record or "")
    left = found if found and found.side is Side.SALESFORCE else None
    return Types(left, found if left is None else None)


def _users(group: str, modules: Sequence[s.Module]) -> Iterator[tuple[str, str]]:
    """The types of the syncs that take in a group of fields."""
    for module in modules:
        for item in module.items:
            if isinstance(item, s.Sync) and group in _used(item):
                yield item.salesforce.text, item.outreach.text


def _used(sync: s.Sync) -> set[str]:
    blocks = (clause for clause in sync.clauses if isinstance(clause, s.FieldsBlock))
    return {line.name.text for block in blocks for line in block.lines if isinstance(line, s.Use)}


# -- fields -------------------------------------------------------------------------------------


def sides_of(place: Place, path: tuple[str, ...]) -> tuple[tuple[Side, ...], tuple[str, ...]]:
    """The sides that a path may read, and the path without its side."""
    if place.condition and path and path[0] in ("salesforce", "outreach"):
        return (Side(path[0]),), path[1:]
    return (place.side,) if place.side else tuple(Side), path


def reached(schema: Schema, owner: ObjectType | None, path: tuple[str, ...]) -> list[ObjectType]:
    """The types whose fields can follow a path of references."""
    if owner is None or not path:
        return [owner] if owner else []
    if owner.name == "prospect" and path == ("sequence",):
        return [_SEQUENCE]
    reference = owner.by_relationship(path[0])
    if reference is None or reference.many:
        return []
    targets = (schema.get(owner.side, name) for name in reference.references)
    return [found for target in targets for found in reached(schema, target, path[1:])]


_SEQUENCE = ObjectType(
    Side.OUTREACH,
    "sequence state",
    "Sequence state",
    {
        name: Field(name, name.replace("_", " ").capitalize(), kind, kind.value, updateable=False)
        for name, kind in SEQUENCE_FIELDS.items()
    },
)


def fields_at(
    place: Place, path: tuple[str, ...], schema: Schema, modules: Sequence[s.Module]
) -> dict[str, tuple[ObjectType, Field]]:
    """The fields that can be named at a place, behind a path of references."""
    found: dict[str, tuple[ObjectType, Field]] = {}
    if place.role is Role.CONFLICT_FIELD:
        return _of_all_syncs(schema, modules)
    sides, rest = sides_of(place, path)
    for types in types_of(place.owner, schema, modules):
        for side in sides:
            for owner in reached(schema, types.of(side), rest):
                for name, each in owner.fields.items():
                    found.setdefault(name, (owner, each))
    return found


def _of_all_syncs(
    schema: Schema, modules: Sequence[s.Module]
) -> dict[str, tuple[ObjectType, Field]]:
    syncs = [item for module in modules for item in module.items if isinstance(item, s.Sync)]
    pairs = [_pair(schema, sync.salesforce.text, sync.outreach.text) for sync in syncs]
    owners = [owner for pair in pairs for owner in (pair.salesforce, pair.outreach) if owner]
    return {name: (owner, each) for owner in owners for name, each in owner.fields.items()}


def field_at(
    place: Place, path: tuple[str, ...], schema: Schema, modules: Sequence[s.Module]
) -> list[tuple[ObjectType, Field]]:
    """What a whole path means at a place: one field, or one for each sync that uses its group."""
    if place.role is Role.CONFLICT_FIELD:
        known = _of_all_syncs(schema, modules).get(path[-1])
        return [known] if known else []
    sides, rest = sides_of(place, path[:-1])
    found: dict[str, tuple[ObjectType, Field]] = {}
    for types in types_of(place.owner, schema, modules):
        for side in sides:
            for owner in reached(schema, types.of(side), rest):
                each = owner.fields.get(path[-1]) or owner.by_relationship(path[-1])
                if each is not None:
                    found.setdefault(owner.name, (owner, each))
    return list(found.values())
