"""Records as files hold them, taken apart into the columns of their table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dsl.schema import Field, Kind
from engine.model import RecordId
from engine.stores.local.ids import checked_id, full_id
from engine.stores.local.org import OrgFile
from engine.stores.local.records import record_url
from engine.stores.local.stamps import normal_stamp
from engine.stores.local.tables import Table

__all__ = ["Loaded", "from_resource", "from_rest"]

_PARENT = "_ParentRoleDeveloperName"
_REST_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
_RESOURCE_STAMPS = ("updatedAt", "createdAt")


@dataclass
class Loaded:
    """A record to be loaded: its columns' values, and what its type has no column for (as JSON).

    `lists` are its list attributes as lists. `deleted` is the whole record if it is a deleted one,
    `parent` the DeveloperName of its parent role.
    """

    id: RecordId | None
    stamp: str
    values: dict[str, Any]
    extra: str | None
    lists: dict[str, list[Any]] = field(default_factory=dict)
    deleted: str | None = None
    parent: str | None = None


def from_rest(_org: OrgFile, table: Table, raw: Any, now: str) -> Loaded:
    """A Salesforce REST record taken apart. Raises `ValueError`, worded for the user."""
    if not isinstance(raw, dict):
        raise ValueError("a record is a JSON object")  # noqa: TRY004 - one kind for all
    name, head = table.type.name, raw.get("attributes")
    head = head if isinstance(head, dict) else {}
    if head.get("type", name) != name:
        raise ValueError(f"its `attributes` say that it is of type `{head['type']}`")
    values, unlisted, shapes = {}, {}, table.shapes
    for key, value in raw.items():
        if key in shapes:
            values[key] = value
            if value is not None:
                values[key] = _kept(table.columns[key], shapes[key], value)
        elif key not in table.type.fields and key not in ("attributes", _PARENT):
            unlisted[key] = value
    record = _rest_id(raw.get("Id"))
    extra: dict[str, Any] = {"fields": unlisted} if unlisted else {}
    url = head.get("url")
    if url is not None and record is not None and url != record_url(name, record):
        extra["url"] = url
    deleted = raw.get("IsDeleted") is True
    return Loaded(
        record,
        _stamp(raw, _REST_STAMPS, now),
        values,
        msgspec.json.encode(extra).decode() if extra else None,
        deleted=msgspec.json.encode(raw).decode() if deleted else None,
        parent=raw.get(_PARENT) if raw.get("ParentRoleId") is None else None,
    )


def _rest_id(given: Any) -> str | None:
    if given is None:
        return None
    record = checked_id(given)
    if record is None:
        raise ValueError(f"`{given}` is no Salesforce id: 15 characters, or 18 with their checksum")
    return record


def from_resource(_org: OrgFile, table: Table, raw: Any, now: str) -> Loaded:
    """A JSON:API resource object taken apart. Raises `ValueError`, worded for the user."""
    if not isinstance(raw, dict):
        raise ValueError("a record is a JSON object")  # noqa: TRY004 - one kind for all
    if raw.get("type", table.type.name) != table.type.name:
        raise ValueError(f"it is of type `{raw['type']}`")
    attributes, relationships = _part(raw, "attributes"), _part(raw, "relationships")
    loaded = Loaded(
        _resource_id(raw.get("id")), _stamp(attributes, _RESOURCE_STAMPS, now), {}, None
    )
    extra: dict[str, Any] = {}
    known = table.shapes
    loaded.values = {key: value for key, value in attributes.items() if key in known}
    for key, value in attributes.items():
        if value is not None and key in known:
            loaded.values[key] = _kept(table.columns[key], known[key], value)
            if isinstance(value, list):
                loaded.lists[key] = value
    if len(loaded.values) < len(attributes):
        extra["fields"] = {k: v for k, v in attributes.items() if k not in known}
    for key, value in relationships.items():
        _take_relationship(table, key, value, loaded, extra)
    if top := {k: v for k, v in raw.items() if k not in _RESOURCE_PARTS}:
        extra["top"] = top
    loaded.extra = msgspec.json.encode(extra).decode() if extra else None
    return loaded


_RESOURCE_PARTS = ("type", "id", "attributes", "relationships")


def _take_relationship(
    table: Table, key: str, value: Any, loaded: Loaded, extra: dict[str, Any]
) -> None:
    """Keep the ids in the column, other types than the usual one beside them, the rest whole."""
    known = table.columns.get(key)
    plain = isinstance(value, dict) and value.keys() == {"data"}
    if known is None or known.vendor_type != "relationship" or not plain:
        extra.setdefault("relationships", {})[key] = value
        if known is None or not isinstance(value, dict) or "data" not in value:
            return
    data = value["data"]
    targets = data if isinstance(data, list) else [data]
    if data is None:
        loaded.values[key] = None
        return
    if not all(isinstance(t, dict) and isinstance(t.get("id"), int | str) for t in targets):
        raise ValueError(f"the relationship `{key}` needs `data` with a `type` and an `id`")
    ids = [_resource_id(t["id"]) for t in targets]
    usual = known.references[0] if len(known.references) == 1 else None
    types = {t.get("type") for t in targets} or {usual}
    if types != {usual}:
        if len(types) > 1:
            extra.setdefault("relationships", {})[key] = value
        else:
            extra.setdefault("types", {})[key] = types.pop()
    if known.kind is Kind.LIST:
        loaded.values[key] = msgspec.json.encode(ids).decode()
    elif isinstance(data, dict):
        loaded.values[key] = ids[0]
    else:
        raise ValueError(f"the relationship `{key}` goes to one record, and `data` is a list")


def _part(raw: dict[str, Any], name: str) -> dict[str, Any]:
    part = raw.get(name) or {}
    if not isinstance(part, dict):
        raise ValueError(f"its `{name}` are no JSON object")  # noqa: TRY004 - see above
    return part


def _resource_id(given: Any) -> RecordId | None:
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given)
    if given is None or (isinstance(given, int) and not isinstance(given, bool) and given > 0):
        return given
    raise ValueError(f"`{given}` is no Outreach id, which is a whole number above 0")


def _kept(known: Field, form: str, value: Any) -> Any:
    """A value as its column keeps it; unlike a user's it is taken as it comes."""
    if form == "json":
        return _encoded(known, value)
    if isinstance(value, list | dict) or isinstance(value, bool) != (form == "boolean"):
        raise ValueError(f"`{known.name}` is {value}, which is no {known.kind} value")
    if isinstance(value, str):
        if not value.isascii():
            _encoded(known, value)
        return full_id(value) if known.kind is Kind.REFERENCE else value
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"`{known.name}` is a number of more than 64 bits")
    return value


def _encoded(known: Field, value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        text = "holds half of a surrogate pair, which is no text"
        raise ValueError(f"`{known.name}` {text}") from None


def _stamp(values: Mapping[str, Any], names: tuple[str, ...], now: str) -> str:
    for name in names:
        given = values.get(name)
        if given is not None:
            found = normal_stamp(given) if isinstance(given, str) else None
            if found is None:
                raise ValueError(f"`{name}` is {given}, which is no date and time with a zone")
            return found
    return now
