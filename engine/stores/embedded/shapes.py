"""A local org's records in the vendors' own JSON: Salesforce REST records, JSON:API resources."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from dsl.schema import Kind, ObjectType, Side
from dsl.values import instant, stamp
from engine.model import RecordId
from engine.stores.embedded.ids import complete
from engine.stores.embedded.tables import Tables, quoted

__all__ = ["from_json", "read_json", "to_json"]

_PARTS = {
    "city": "City",
    "country": "Country",
    "geocodeAccuracy": "GeocodeAccuracy",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "postalCode": "PostalCode",
    "state": "State",
    "street": "Street",
}


def to_json(described: ObjectType, row: dict[str, Any]) -> dict[str, Any]:
    """A stored row, by column, as the vendor answers it."""
    values = {
        name: _value(known.kind, row[name])
        for name, known in described.fields.items()
        if name in row
    }
    extra = json.loads(row["_extra"]) if row["_extra"] else {}
    if described.side is Side.SALESFORCE:
        return _salesforce(described, row, values, extra)
    return _outreach(described, row, values, extra)


def _value(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind is Kind.BOOLEAN:
        return bool(value)
    return json.loads(value) if kind in (Kind.LIST, Kind.OBJECT) else value


def _salesforce(
    described: ObjectType, row: dict[str, Any], values: dict[str, Any], extra: dict[str, Any]
) -> dict[str, Any]:
    record = row["_id"]
    url = f"/services/data/v60.0/sobjects/{described.name}/{record}"
    values = {"Id": record} | values
    if "IsDeleted" in values:
        values["IsDeleted"] = bool(row["_deleted"])
    for name, known in described.fields.items():
        if known.vendor_type == "address":
            values[name] = _address(name.removesuffix("Address"), values)
    return {"attributes": {"type": described.name, "url": url}, **values, **extra}


def _address(prefix: str, values: dict[str, Any]) -> dict[str, Any] | None:
    """A compound address is put together from its parts."""
    parts = {key: values.get(prefix + part) for key, part in _PARTS.items()}
    return parts if any(v is not None for v in parts.values()) else None


def _outreach(
    described: ObjectType, row: dict[str, Any], values: dict[str, Any], extra: dict[str, Any]
) -> dict[str, Any]:
    attributes, relationships = {}, {}
    for name, value in values.items():
        known = described.fields[name]
        if not known.relationship:
            attributes[name] = value
        elif not known.many:
            kind = known.references[0] if len(known.references) == 1 else None
            data = None if value is None else {"type": kind, "id": value}
            relationships[name] = {"data": data}
    return {
        "type": described.name,
        "id": row["_id"],
        "attributes": attributes | extra.get("attributes", {}),
        "relationships": relationships | extra.get("relationships", {}),
    }


def read_json(tables: Tables, type_name: str, record: RecordId) -> dict[str, Any] | None:
    """One record in the vendor's JSON, None if it is not there or deleted."""
    described = tables.type(type_name)
    record = complete(record) if isinstance(record, str) else record
    cursor = tables.db.execute(
        f"SELECT * FROM {quoted(type_name)} WHERE _id = ? AND NOT _deleted", (record,)
    )
    row = cursor.fetchone()
    if row is None:
        return None
    names = [c[0] for c in cursor.description]
    return to_json(described, dict(zip(names, row, strict=True)))


def from_json(described: ObjectType, record: dict[str, Any], now: str) -> dict[str, Any]:
    """A record from a file as columns: `_id` (None where the file has none), `_stamp`, fields.

    History is taken as it is; what the schema does not know goes to `_extra`.
    """
    if described.side is Side.SALESFORCE:
        return _from_salesforce(described, record, now)
    return _from_outreach(described, record, now)


def _from_salesforce(described: ObjectType, record: dict[str, Any], now: str) -> dict[str, Any]:
    row: dict[str, Any] = {"_id": None}
    extra = {}
    for name, value in record.items():
        known = described.fields.get(name)
        if name == "Id":
            row["_id"] = complete(value) if value else None
        elif known is None:
            if name != "attributes":
                extra[name] = value
        elif known.kind is not Kind.OBJECT:
            is_reference = known.kind is Kind.REFERENCE and isinstance(value, str)
            row[name] = complete(value) if is_reference else value
    at = next(
        (row[n] for n in ("SystemModstamp", "LastModifiedDate", "CreatedDate") if row.get(n)), now
    )
    return row | _kept(at, now, extra, bool(record.get("IsDeleted")))


def _from_outreach(described: ObjectType, record: dict[str, Any], now: str) -> dict[str, Any]:
    row: dict[str, Any] = {"_id": int(record["id"]) if record.get("id") is not None else None}
    extra: dict[str, dict[str, Any]] = {"attributes": {}, "relationships": {}}
    for name, value in record.get("attributes", {}).items():
        known = described.fields.get(name)
        if known is None or known.relationship:
            extra["attributes"][name] = value
        else:
            row[name] = value
    for name, relationship in record.get("relationships", {}).items():
        known = described.fields.get(name)
        data = relationship.get("data")
        plain = set(relationship) == {"data"} and not isinstance(data, list)
        if known is not None and known.relationship and not known.many and isinstance(data, dict):
            row[name] = data.get("id")
            plain = plain and len(known.references) == 1 and data.get("type") == known.references[0]
        if known is None or known.many or not plain:
            extra["relationships"][name] = relationship
    at = row.get("updatedAt") or row.get("createdAt") or now
    kept = extra if any(extra.values()) else {}
    return row | _kept(at, now, kept, False)


def _kept(at: str, now: str, extra: dict[str, Any], deleted: bool) -> dict[str, Any]:
    moment = instant(at)
    return {
        "_stamp": stamp(moment.astimezone(UTC)) if moment else now,
        "_deleted": int(deleted),
        "_extra": json.dumps(extra, ensure_ascii=False) if extra else None,
    }
