"""References by name: what a record goes by, which record a name means, and one made up for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dsl.schema import Field, Kind, ObjectType, Side
from engine.model import RecordId, Value
from engine.rule_tests.rules import Rules
from engine.rule_tests.world import World

__all__ = ["bears", "means", "name_shown", "named", "person_of", "type_to_make", "values_by_name"]

_WHOLE = ("Name", "name", "Email", "email", "emails", "Username", "Subject", "subject")
_FIRST = {Side.SALESFORCE: "FirstName", Side.OUTREACH: "firstName"}
_LAST = {Side.SALESFORCE: "LastName", Side.OUTREACH: "lastName"}
_OTHER = "Test"


def _folded(value: Value) -> set[str]:
    values = value if isinstance(value, list) else [value]
    return {v.strip().casefold() for v in values if isinstance(v, str) and v.strip()}


def bears(side: Side, values: Mapping[str, Value], name: str) -> int:
    """How well a record's values go by a name: 2 as a whole, 1 by first or last name alone, 0."""
    wanted = name.strip().casefold()
    whole = set[str]().union(*(_folded(values.get(field)) for field in _WHOLE))
    parts = [values.get(_FIRST[side]), values.get(_LAST[side])]
    whole |= _folded(" ".join(p for p in parts if isinstance(p, str)))
    if wanted in whole:
        return 2
    return 1 if any(wanted in _folded(part) for part in parts) else 0


def _fields(type_: ObjectType) -> list[str]:
    names = (*_WHOLE, _FIRST[type_.side], _LAST[type_.side])
    return [name for name in names if name in type_.fields]


def _types(rules: Rules, side: Side, field: Field) -> list[ObjectType]:
    found = (rules.schema.get(side, name) for name in field.references)
    return [type_ for type_ in found if type_ is not None]


def named(world: World, side: Side, field: Field, name: str) -> RecordId | None:
    """The record that a reference means by a name: one that bears it as a whole goes first."""
    found: tuple[int, RecordId] | None = None
    for type_ in _types(world.rules, side, field):
        fields = _fields(type_)
        for row in world.rows(type_, fields):
            fit = bears(side, dict(zip(fields, row[2:], strict=True)), name)
            if fit and (found is None or fit > found[0]):
                found = (fit, row[0])
    return found[1] if found else None


def name_shown(world: World, side: Side, field: Field, record: RecordId | None) -> Value:
    """What a referenced record is called; its id if it has no name."""
    if record is None:
        return None
    for type_ in _types(world.rules, side, field):
        fields = _fields(type_)
        row = world.row(type_, record, fields)
        if row is not None:
            return next((v for v in row[2:] if isinstance(v, str) and v), record)
    return record


def means(world: World, side: Side, field: Field, record: RecordId | None, name: str) -> bool:
    """Whether a reference to `record` is one to what goes by `name`."""
    if record is None:
        return False
    for type_ in _types(world.rules, side, field):
        fields = _fields(type_)
        row = world.row(type_, record, fields)
        if row is not None and bears(side, dict(zip(fields, row[2:], strict=True)), name):
            return True
    return False


def type_to_make(rules: Rules, side: Side, field: Field) -> ObjectType | None:
    """The type of the record that a name stands for where there is none: one that syncs, a user."""
    types = _types(rules, side, field)
    return min(
        types,
        key=lambda t: (t.name != "User", not rules.pairs_of(side, t.name)),
        default=None,
    )


def person_of(name: str) -> tuple[str, str]:
    """First and last name of somebody who is known by a name or an e-mail address."""
    if "@" in name:
        words = [w.capitalize() for w in re.split(r"[\W_]+", name.partition("@")[0]) if w]
    else:
        words = name.split()
    return (words or [_OTHER])[0], " ".join(words[1:]) or _OTHER


def values_by_name(type_: ObjectType, name: str) -> dict[str, Value] | None:
    """The values of a record that goes by a name; None if the type has nothing to be called by.

    They are the same on both sides, so that a sync of the type finds that the two belong together.
    """
    side, fields = type_.side, type_.fields
    local = re.sub(r"[^a-z0-9]+", ".", name.casefold()).strip(".") or "someone"
    email = name if "@" in name else f"{local}@test.example"
    values: dict[str, Value] = {}
    if _LAST[side] in fields:
        values[_FIRST[side]], values[_LAST[side]] = person_of(name)
        for key in ("Email", "email", "emails"):
            if key in fields:
                values[key] = [email] if fields[key].kind is Kind.LIST else email
        return values
    for key in ("Name", "name", "Subject", "subject"):
        if key in fields and fields[key].createable:
            return {key: name}
    return None
