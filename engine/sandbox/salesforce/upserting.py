"""What an upsert of one record comes to: a create, or an update of the record that has the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.schema import Field, Kind, ObjectType
from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.keys import found_by
from engine.sandbox.salesforce.values import values_of
from engine.sandbox.salesforce.writes import Wanted

__all__ = ["upserted"]


def upserted(
    box: Box, type_: ObjectType, key: Field, value: Any, payload: Mapping[str, Any]
) -> Wanted:
    """What to do with a record whose key field has a value; None only for an Id that is not given.

    Raises `ApiError`.
    """
    if value is None:
        return Wanted(type_.name, None, values_of(box, type_, payload, creating=True))
    found = found_by(box, type_, key, value)
    if len(found) > 1:
        message = f"{key.label}: more than one record found for external id field: {found}"
        raise ApiError(400, "DUPLICATE_EXTERNAL_ID", message)
    rest = {k: v for k, v in payload.items() if k.casefold() != key.name.casefold()}
    if found:
        return Wanted(type_.name, found[0], values_of(box, type_, rest, creating=False))
    if key.kind is Kind.ID:
        raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    return Wanted(type_.name, None, values_of(box, type_, payload, creating=True))
