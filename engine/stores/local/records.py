"""Records in the vendors' own JSON shapes: a Salesforce REST record, a JSON:API resource object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from dsl.schema import Field, Kind, Side
from engine.model import RecordId
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import Table, address_parts, quoted, shape

__all__ = ["API", "as_json_text", "json_records", "record_of"]

#: The version in the addresses of Salesforce records, that of the sample data.
API = "v57.0"
_PAGE = 500

_Values = dict[str, Any]


def record_url(type_name: str, record: RecordId) -> str:
    """A Salesforce record's address as it stands in its `attributes`."""
    return f"/services/data/{API}/sobjects/{type_name}/{record}"


def record_of(org: OrgFile, table: Table, record: RecordId) -> _Values | None:
    """One record in its vendor's shape, or None if it is not there."""
    if not org.made(table.type.name):
        return None
    where = f"WHERE {quoted(table.key)} = ?"
    found = org.rows(f"{_select(table)} {where}", (org.record_id(record),))
    return _shaper(table)(found[0]) if found else None


def as_json_text(org: OrgFile, table: Table, record: RecordId) -> str:
    """One record as JSON text."""
    return json.dumps(record_of(org, table, record), ensure_ascii=False)


def json_records(org: OrgFile, table: Table) -> Iterator[_Values]:
    """All records of a type in the vendor's shape, by rowid, which is the order they came in."""
    shaped, last = _shaper(table), -1
    sql = f"{_select(table)} WHERE rowid > ? ORDER BY rowid LIMIT {_PAGE}"
    while rows := org.rows(sql, (last,)):
        last = rows[-1][0]
        yield from map(shaped, rows)


def _select(table: Table) -> str:
    columns = ["rowid", quoted(table.key), '"_extra" AS "extra [crosswalk_json]"']
    for at, field in enumerate(table.columns.values()):
        form = shape(field)
        name = quoted(field.name)
        columns.append(name if form == "plain" else f'{name} AS "c{at} [crosswalk_{form}]"')
    return f"SELECT {', '.join(columns)} FROM {table.name}"


def _shaper(table: Table) -> Callable[[tuple[Any, ...]], _Values]:
    shaped = _rest_record if table.type.side is Side.SALESFORCE else _resource

    def record(row: tuple[Any, ...]) -> _Values:
        return shaped(table, row[1], row[2] or {}, dict(zip(table.columns, row[3:], strict=True)))

    return record


def _rest_record(table: Table, record: RecordId, extra: _Values, values: _Values) -> _Values:
    name = table.type.name
    url = extra.get("url", record_url(name, record))
    shaped: _Values = {"attributes": {"type": name, "url": url}}
    for field in table.type.fields.values():
        if field.name == table.key:
            shaped[field.name] = record
        elif field.name in values:
            shaped[field.name] = values[field.name]
        else:
            shaped[field.name] = _address(table, field, values)
    shaped.update(extra.get("fields", {}))
    return shaped


def _address(table: Table, field: Field, values: _Values) -> _Values | None:
    parts = {k: values[p] for k, p in address_parts(table.type, field).items()}
    return None if all(v is None for v in parts.values()) else parts


def _resource(table: Table, record: RecordId, extra: _Values, values: _Values) -> _Values:
    attributes: _Values = {}
    relationships: _Values = {}
    types = extra.get("types", {})
    for name, field in table.columns.items():
        if field.vendor_type != "relationship":
            attributes[name] = values[name]
            continue
        value = values[name]
        type_ = types.get(name, field.references[0] if len(field.references) == 1 else None)
        if field.kind is Kind.REFERENCE:
            data = None if value is None else {"type": type_, "id": value}
            relationships[name] = {"data": data}
        elif value is not None:
            relationships[name] = {"data": [{"type": type_, "id": i} for i in value]}
    return {
        "type": table.type.name,
        "id": record,
        "attributes": dict(sorted((attributes | extra.get("fields", {})).items())),
        "relationships": relationships | _loaded(table, relationships, extra),
        **extra.get("top", {}),
    }


def _loaded(table: Table, relationships: _Values, extra: _Values) -> _Values:
    """What a loaded relationship had besides its `data`, which may have been written since."""
    merged = {}
    for name, value in extra.get("relationships", {}).items():
        field = table.columns.get(name)
        one = field is not None and (field.kind is Kind.REFERENCE or len(field.references) == 1)
        known = one and name in relationships and "data" in value
        merged[name] = {**value, **relationships[name]} if known else value
    return merged
