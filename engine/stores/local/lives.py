"""What befalls a record besides edits: it is merged into another, undeleted, or asked after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dsl.schema import Kind, Side
from engine.model import Outcome, RecordId, Write
from engine.stores.local.lookups import elements_of
from engine.stores.local.org import OrgFile
from engine.stores.local.records import record_of
from engine.stores.local.refusals import Refused
from engine.stores.local.shapes import Loaded, from_resource, from_rest
from engine.stores.local.tables import Table, quoted
from engine.stores.local.writing import insertion, write_within

__all__ = ["fates", "merge", "touch", "undelete"]

_MERGED = ("Lead", "Contact", "Account")
_STAMPS = ("LastModifiedDate", "SystemModstamp", "updatedAt")


def fates(org: OrgFile, table: Table, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
    """Those of these records that were deleted, each with the record it was merged into, if any."""
    sql = (
        "SELECT id, json_extract(record, '$.MasterRecordId') FROM deleted"
        " WHERE type = ? AND id IN (SELECT value FROM json_each(?))"
    )
    wanted = json.dumps([org.record_id(i) for i in ids])
    return dict(org.rows(sql, (table.type.name, wanted)))


# -- merging ------------------------------------------------------------------------------------


def merge(org: OrgFile, table: Table, master: RecordId, loser: RecordId) -> RecordId:
    """Merge a Salesforce record into another of its type, which takes over what refers to it.

    The loser is deleted and says into which record it went; the master keeps its own values.
    Raises `Refused`.
    """
    name = table.type.name
    if name not in _MERGED or org.side is not Side.SALESFORCE:
        raise Refused("INVALID_TYPE", f"{name} cannot be merged: only {', '.join(_MERGED)} can")
    kept, gone = org.record_id(master), org.record_id(loser)
    if kept == gone:
        raise Refused("INVALID_ID_FIELD", "a record cannot be merged into itself")
    with org.transaction() as moment:
        for record in (kept, gone):
            found = record_of(org, table, record)
            if found is not None and found.get("IsConverted"):
                raise Refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot merge a converted lead")
        # A write of nothing refuses a master that is not there, and moves its stamp on.
        for write in (Write(kept, {}), Write(gone, delete=True)):
            [result] = write_within(org, table, [write], moment)
            if result.outcome is not Outcome.DONE:
                raise Refused(result.code, result.message, result.fields)
        org.db.execute(
            "UPDATE deleted SET record = json_set(record, '$.MasterRecordId', ?, '$.IsDeleted',"
            " json('true')) WHERE type = ? AND id = ?",
            (kept, name, gone),
        )
        reparent(org, name, gone, kept, moment)
    return kept


def reparent(
    org: OrgFile,
    type_name: str,
    old: RecordId,
    new: RecordId,
    moment: str,
    only: Sequence[str] = (),
) -> None:
    """Let what refers to one record refer to another; `only` names the types that do."""
    for child in only or org.types():
        table = org.table(child)
        for field in table.columns.values():
            refers = field.kind is Kind.REFERENCE and type_name in field.references
            if not refers or not field.updateable or not org.made(child):
                continue
            column, key = quoted(field.name), quoted(table.key)
            sql = f"SELECT {key} FROM {table.name} WHERE {column} = ?"
            ids = [row[0] for row in org.rows(sql, (old,))]
            for record in ids:
                # A record does not become its own parent.
                touch(org, table, record, moment, {field.name: None if record == new else new})


def touch(
    org: OrgFile, table: Table, record: RecordId, moment: str, values: dict[str, Any]
) -> None:
    """Set what no user may write, and the stamps with it, in a transaction."""
    at = org.as_vendor(moment)
    values = {**values, "_stamp": moment, **{s: at for s in _STAMPS if s in table.columns}}
    parts = ", ".join(f"{quoted(name)} = ?" for name in values)
    sql = f"UPDATE {table.name} SET {parts} WHERE {quoted(table.key)} = ?"
    org.db.execute(sql, (*values.values(), record))


# -- undeleting ---------------------------------------------------------------------------------


def undelete(org: OrgFile, table: Table, record: RecordId) -> RecordId:
    """Bring a deleted record back from the recycle bin, as it was. Raises `Refused`."""
    found = org.record_id(record)
    with org.transaction() as moment:
        sql = "SELECT record FROM deleted WHERE type = ? AND id = ?"
        rows = org.rows(sql, (table.type.name, found))
        if not rows or rows[0][0] is None:
            raise _not_in_bin(org, table, record)
        shaped = from_rest if org.side is Side.SALESFORCE else from_resource
        loaded = shaped(org, table, json.loads(rows[0][0]), moment)
        loaded.values |= {c: v for c, v in _RESTORED.items() if c in table.columns}
        loaded.values |= {s: org.as_vendor(moment) for s in _STAMPS if s in table.columns}
        _see_unique(org, table, loaded)
        _insert(org, table, found, moment, loaded)
        org.db.execute("DELETE FROM deleted WHERE type = ? AND id = ?", (table.type.name, found))
    return found


_RESTORED = {"IsDeleted": False, "MasterRecordId": None}


def _not_in_bin(org: OrgFile, table: Table, record: RecordId) -> Refused:
    if org.side is Side.SALESFORCE:
        return Refused("UNDELETE_FAILED", f"{table.type.name} {record} is not in the recycle bin")
    return Refused("resourceNotFound", f"there is no deleted {table.type.name} {record}")


def _elements(table: Table, loaded: Loaded, name: str) -> set[Any]:
    return elements_of(loaded.lists.get(name, loaded.values.get(name)))


def _see_unique(org: OrgFile, table: Table, loaded: Loaded) -> None:
    """Refuse to bring back a unique value that another record has taken meanwhile."""
    sql = (
        "SELECT folded, id FROM element WHERE type = ? AND attribute = ?"
        " AND folded IN (SELECT value FROM json_each(?))"
    )
    for name in table.unique:
        listed = json.dumps(sorted(_elements(table, loaded, name), key=str))
        for value, owner in org.rows(sql, (table.type.name, name, listed)):
            message = f"'{name}': {value} has been taken by {table.type.name} {owner} meanwhile"
            code = "DUPLICATE_VALUE" if org.side is Side.SALESFORCE else "validationError"
            raise Refused(code, message, (name,))


def _insert(org: OrgFile, table: Table, record: RecordId, moment: str, loaded: Loaded) -> None:
    row = {**loaded.values, table.key: record, "_stamp": moment, "_extra": loaded.extra}
    statement, pick = insertion(org.side, table.type.name, tuple(row))
    org.db.execute(statement, pick(row))
    sql = "SELECT attribute FROM indexed WHERE type = ?"
    elements = [
        (table.type.name, name, element, record)
        for (name,) in org.rows(sql, (table.type.name,))
        for element in _elements(table, loaded, name)
    ]
    org.db.executemany("INSERT OR IGNORE INTO element VALUES (?, ?, ?, ?)", elements)
