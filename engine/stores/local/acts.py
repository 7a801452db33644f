"""What a user types for a field, as the value that the org is written with."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dsl.schema import Field, Kind, ObjectType, Side
from engine.ports import StoreError
from engine.stores.local.store import LocalOrg

__all__ = ["typed_values"]

#: What a record of a type goes by, besides its id; the first that the type has names it best.
_NAMES = ("email", "emails", "name")


def typed_values(org: LocalOrg, type_: ObjectType, pairs: dict[str, str]) -> dict[str, Any]:
    """The values for texts by field name, typed by the fields; an empty text clears.

    An Outreach reference may be the name or e-mail of what it refers to, a list JSON or its one
    element. A text that does not fit its field stays text, for the org to refuse. Raises
    `StoreError` for a name that finds no record, or several.
    """
    values = {}
    for name, text in pairs.items():
        field = type_.fields.get(name)
        values[name] = text if field is None else _typed(org, field, text)
    return values


def _typed(org: LocalOrg, field: Field, text: str) -> Any:
    match field.kind:
        case Kind.LIST if field.many:
            return [_referred(org, field, str(each)) for each in _list(text)]
        case Kind.LIST:
            return _list(text)
        case Kind.OBJECT:
            return _parsed(json.loads, text) if text else None
        case Kind.TEXT:
            return text
    if text == "":
        return None
    match field.kind:
        case Kind.BOOLEAN:
            return {"true": True, "false": False}.get(text.strip().lower(), text)
        case Kind.NUMBER:
            whole = _parsed(int, text)
            return _parsed(float, text) if isinstance(whole, str) else whole
        case Kind.REFERENCE if org.side is Side.OUTREACH:
            return _referred(org, field, text)
        case _:
            return text


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return text


def _list(text: str) -> Any:
    if text == "":
        return []
    if text.lstrip().startswith("["):
        return _parsed(json.loads, text)
    return [text]


def _referred(org: LocalOrg, field: Field, text: str) -> Any:
    """The id that a text is, or that the record has which goes by it."""
    if text.isascii() and text.isdigit():
        return int(text)
    targets = [t for t in map(org.describe, field.references) if t is not None]
    found = {
        (target.name, row[0])
        for target in targets
        for name in _NAMES
        if name in target.fields
        for row in org.find(target.name, [], [name], [(text,)])
    }
    if len(found) == 1:
        return found.pop()[1]
    kinds = " or ".join(field.references)
    if found:
        ids = ", ".join(str(record) for _, record in sorted(found))
        raise StoreError(
            f"`{field.name}`: several of type {kinds} go by `{text}`: write an id, {ids}"
        )
    raise StoreError(f"`{field.name}`: no {kinds} goes by `{text}`")
