"""Finds records by an external id, as upserts and addresses do."""

from __future__ import annotations

from typing import Any

from dsl.schema import Field, Kind, ObjectType
from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.describes import is_lookup
from engine.sandbox.salesforce.errors import ApiError
from engine.stores.local.ids import checked_id
from engine.stores.local.reading import found_rows, rows_of_ids

__all__ = ["found_by", "key_field"]


def key_field(box: Box, type_: ObjectType, name: str) -> Field:
    """The external id field of a name, or another that ids can be looked up by. `ApiError`."""
    field = box.visible.field(type_.name, name)
    if field is None or not (field.kind is Kind.ID or is_lookup(type_, field)):
        message = f"Provided external ID field does not exist or is not accessible: {name}"
        raise ApiError(404, "NOT_FOUND", message)
    return field


def found_by(box: Box, type_: ObjectType, field: Field, value: Any) -> list[str]:
    """The ids of the records that hold a value in a key field."""
    table = box.file.table(type_.name)
    if field.kind is Kind.ID:
        full = checked_id(value)
        return [] if full is None else [r[0] for r in rows_of_ids(box.file, table, [], [full])]
    if field.kind is Kind.NUMBER and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return []
    return [row[0] for row in found_rows(box.file, table, [], [field.name], [(value,)])]
