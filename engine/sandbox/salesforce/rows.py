"""A record as a REST answer has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsl.schema import Field, ObjectType
from engine.sandbox.salesforce.box import Box
from engine.stores.local.reading import rows_of_ids

__all__ = ["row_of", "rows_of"]


def rows_of(
    box: Box, type_: ObjectType, ids: Sequence[str], fields: Sequence[Field], version: str
) -> dict[str, dict[str, Any]]:
    """The records of these ids that exist, by id, with their `attributes` and these fields."""
    names = [f.name for f in fields]
    rows = rows_of_ids(box.file, box.file.table(type_.name), names, ids)
    base = f"/services/data/v{version}/sobjects/{type_.name}/"
    return {
        row[0]: {
            "attributes": {"type": type_.name, "url": base + row[0]},
            **(dict(zip(names, row[2:], strict=True)) if names else {"Id": row[0]}),
        }
        for row in rows
    }


def row_of(
    box: Box, type_: ObjectType, record: str, fields: Sequence[Field], version: str
) -> dict[str, Any] | None:
    """One record, or None if it is not there."""
    return rows_of(box, type_, [record], fields, version).get(record)
