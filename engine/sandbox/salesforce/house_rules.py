"""What an org's own rules refuse: duplicate rules and validation rules, as its setup has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.errors import ApiError
from engine.stores.local.reading import found_rows
from engine.stores.local.records import record_of

__all__ = ["objection"]

_ASKED = "Use one of these records?"


def objection(
    box: Box,
    type_name: str,
    record: str | None,
    values: Mapping[str, Any],
    delete: bool,
    save_duplicates: bool,
) -> ApiError | None:
    """Why a write is refused, or None."""
    if delete:
        return None
    before = None
    if record is not None:
        before = record_of(box.file, box.file.table(type_name), record)
        if before is None:
            return None  # which the org itself says better
    whole = {**(before or {}), **values}
    for rule in box.setup.validations.get(type_name, ()):
        broken = rule(whole)
        if broken is not None:
            code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
            return ApiError(400, code, broken.message, broken.fields)
    fields = box.setup.duplicates.get(type_name, ())
    if save_duplicates or (before is not None and not set(fields) & values.keys()):
        return None
    return _duplicates(box, type_name, fields, whole)


def _duplicates(
    box: Box, type_name: str, fields: tuple[str, ...], whole: Mapping[str, Any]
) -> ApiError | None:
    wanted = tuple(whole.get(name) for name in fields)
    if not fields or any(value in (None, "") for value in wanted):
        return None
    table = box.file.table(type_name)
    rows = found_rows(box.file, table, [], list(fields), [wanted])
    others = [row[0] for row in rows if row[0] != whole.get("Id")]
    if not others:
        return None
    more = {"duplicateResut": _found(type_name, others)}  # as Salesforce spells it
    return ApiError(400, "DUPLICATES_DETECTED", _ASKED, more=more)


def _found(type_name: str, ids: list[str]) -> dict[str, Any]:
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {"attributes": {"type": type_name}, "Id": record},
        }
        for record in ids
    ]
    match = {
        "entityType": type_name,
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "matchRecords": records,
        "rule": f"{type_name}_Match_Rule",
        "size": len(records),
        "success": True,
    }
    return {
        "allowSave": True,
        "duplicateRule": f"{type_name}_Duplicate_Rule",
        "duplicateRuleEntityType": type_name,
        "errorMessage": _ASKED,
        "matchResults": [match],
    }
