"""Answers to POST, PATCH and DELETE: one record a request, by the org's own rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from dsl.schema import Field
from engine.model import Outcome, Result, Write
from engine.sandbox.outreach.errors import ApiError, Source, invalid, not_found
from engine.sandbox.outreach.resources import Resource
from engine.stores.local.lives import touch
from engine.stores.local.org import OrgFile
from engine.stores.local.play.sequences import begin
from engine.stores.local.tables import quoted
from engine.stores.local.writing import write_within

__all__ = ["Change", "change_of", "changed", "destroyed", "made", "resource_object"]

_PARTS = frozenset({"type", "id", "attributes", "relationships", "links", "meta"})
_TAKEN = " has already been taken"
_BLANK = "can't be blank"


@dataclass(frozen=True, slots=True)
class Change:
    """What a document asks for: values by name as the org takes them, and the types of references.

    `types` has only references that may be of several types.
    """

    values: dict[str, Any]
    types: dict[str, str]


def change_of(resource: Resource, document: Any, record: int | None) -> Change:
    """A document's change; `record` is that of the address, None for a new one.

    Raises `ApiError`.
    """
    data = resource_object(resource.type, document, record)
    attributes, relationships = _part(data, "attributes"), _part(data, "relationships")
    values: dict[str, Any] = {}
    for name, value in attributes.items():
        if name not in resource.attributes:
            raise invalid(f"'{name}' is not an attribute of {resource.type}.", _at(resource, name))
        values[name] = value
    types: dict[str, str] = {}
    for name, value in relationships.items():
        known = resource.relationships.get(name)
        if known is None:
            detail = f"'{name}' is not a relationship of {resource.type}."
            raise invalid(detail, _pointer("/relationships", name))
        values[name] = _related(known, value, types)
    return Change(values, types)


def resource_object(type_name: str, document: Any, record: int | None) -> dict[str, Any]:
    """A document's resource object, which must be of this type, and of this record if any.

    Raises `ApiError`.
    """
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        raise invalid("A document needs 'data', which is a resource object.")
    if unknown := data.keys() - _PARTS:
        name = min(unknown)
        raise invalid(f"'{name[:80]}' is no part of a resource object.", _pointer("", name))
    _check_identity(type_name, data, record)
    return data


def _check_identity(type_name: str, data: Mapping[str, Any], record: int | None) -> None:
    if data.get("type") != type_name:
        if not isinstance(data.get("type"), str):
            raise invalid("Type can't be blank.", "/data/type")
        detail = f"Expected 'type' to be '{type_name}'."
        raise ApiError(409, "conflict", [(detail, {"pointer": "/data/type"})])
    if record is None:
        if "id" in data:
            raise invalid("An ID is given by Outreach, and cannot be chosen.", "/data/id")
    elif "id" not in data:
        raise invalid("ID can't be blank.", "/data/id")
    elif str(data["id"]) != str(record):
        detail = f"Expected 'id' to be '{record}', as in the address."
        raise ApiError(409, "conflict", [(detail, {"pointer": "/data/id"})])


def _part(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name, {})
    if not isinstance(part, dict):
        raise invalid(f"'{name}' must be an object.", f"/data/{name}")
    return part


def _pointer(part: str, name: str) -> str:
    return f"/data{part}/{name[:80].replace('~', '~0').replace('/', '~1')}"


def _at(resource: Resource, name: str) -> str:
    part = "/relationships" if name in resource.relationships else "/attributes"
    return _pointer(part, name)


def _related(known: Field, value: Any, types: dict[str, str]) -> Any:
    pointer = _pointer("/relationships", known.name)
    if not isinstance(value, dict) or "data" not in value:
        raise invalid(f"'{known.name}' needs 'data'.", pointer)
    data = value["data"]
    if known.many:
        if not isinstance(data, list):
            raise invalid(f"'{known.name}' needs 'data', which is a list.", pointer)
        return [_identified(known, each, pointer, types) for each in data]
    return None if data is None else _identified(known, data, pointer, types)


def _identified(known: Field, data: Any, pointer: str, types: dict[str, str]) -> int:
    """The id in a resource identifier. Raises `ApiError`."""
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise invalid(f"'{known.name}' needs 'data' with a 'type' and an 'id'.", pointer)
    if data["type"] not in known.references:
        wanted = " or ".join(known.references)
        raise invalid(f"'{known.name}' takes a record of type {wanted}.", f"{pointer}/data/type")
    found = data.get("id")
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < 1 << 63:
        raise invalid(f"'{known.name}' needs an 'id', a whole number.", f"{pointer}/data/id")
    if len(known.references) > 1:
        types[known.name] = data["type"]
    return found


# -- doing it -----------------------------------------------------------------------------------


def made(org: OrgFile, resource: Resource, change: Change) -> int:
    """Make a record; its id. Raises `ApiError`."""
    if resource.type == "sequenceState":
        _see_places(resource, change)
    with org.transaction() as moment:
        record = _written(org, resource, Write(None, change.values), change, moment)
        stamped = _stamped(org, resource, change, moment)
        if stamped:
            touch(org, org.table(resource.type), record, moment, stamped)
        if resource.type == "sequenceState":
            begin(org, record, moment)
    return record


def _see_places(resource: Resource, change: Change) -> None:
    """A place in a sequence is one prospect's in one sequence. Raises `ApiError`."""
    missing = [name for name in ("prospect", "sequence") if change.values.get(name) is None]
    if missing:
        troubles = [
            (f"{name.title()} {_BLANK}.", {"pointer": _at(resource, name)}) for name in missing
        ]
        raise ApiError(422, "validationError", troubles)


def changed(org: OrgFile, resource: Resource, record: int, change: Change) -> None:
    """Change a record. Raises `ApiError`."""
    with org.transaction() as moment:
        _written(org, resource, Write(record, change.values), change, moment)


def destroyed(org: OrgFile, resource: Resource, record: int) -> None:
    """Delete a record. Raises `ApiError`."""
    with org.transaction() as moment:
        _written(org, resource, Write(record, delete=True), Change({}, {}), moment)


def _written(org: OrgFile, resource: Resource, write: Write, change: Change, moment: str) -> int:
    table = org.table(resource.type)
    [result] = write_within(org, table, [write], moment)
    if result.outcome is not Outcome.DONE or result.id is None:
        raise _refusal(resource, write, result)
    record = int(result.id)
    if change.types:
        sql = (
            f"UPDATE {table.name} SET _extra = json_patch(coalesce(_extra, '{{}}'), ?)"
            f" WHERE {quoted(table.key)} = ?"
        )
        types = msgspec.json.encode({"types": change.types}).decode()
        org.db.execute(sql, (types, record))
    return record


def _stamped(org: OrgFile, resource: Resource, change: Change, moment: str) -> dict[str, Any]:
    """What Outreach itself sets in a new record."""
    at = org.as_vendor(moment)
    if resource.type == "task":
        stamped = {"state": "incomplete", "taskType": "manual", "stateChangedAt": at}
        if (of := change.types.get("subject")) is not None:
            stamped[of] = change.values["subject"]
        return stamped
    if resource.type == "sequenceState":
        return {"state": "active", "activeAt": at, "stateChangedAt": at}
    return {}


# -- refusals -----------------------------------------------------------------------------------


def _refusal(resource: Resource, write: Write, result: Result) -> ApiError:
    """A refusal of the org in the words of the API."""
    if result.outcome is Outcome.GONE:
        return not_found(resource.type, write.id)
    troubles: list[tuple[str, Source | None]] = []
    for name in result.fields or ("",):
        detail, pointer = _words(resource, name, result.message)
        troubles.append((detail, {"pointer": pointer}))
    return ApiError(422, result.code, troubles)


def _words(resource: Resource, name: str, message: str) -> tuple[str, str]:
    known = resource.object.fields.get(name)
    if known is None:
        return message, "/data"
    if _TAKEN in message:
        if name == "emails":  # the vendor names what it keeps, not what was sent
            return "Contacts email hash has already been taken.", "/data"
        return f"{known.label}{_TAKEN}.", _at(resource, name)
    if _BLANK in message:
        return f"{known.label} {_BLANK}.", _at(resource, name)
    return f"{message}.", _at(resource, name)
