"""Values of a local org's picklists, changed as an administrator does it in Setup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dsl.schema import Field
from engine.model import RecordId
from engine.stores.local.custom import LISTED
from engine.stores.local.lives import touch
from engine.stores.local.org import OrgFile
from engine.stores.local.refusals import Refused
from engine.stores.local.tables import Table, quoted
from engine.stores.local.writing import insertion

__all__ = ["add_value", "deactivate_value", "rename_value"]

#: The types whose records are the values of a picklist, by its type and field.
_ROWS = {("Lead", "Status"): "LeadStatus", ("Opportunity", "StageName"): "OpportunityStage"}


def add_value(org: OrgFile, type_name: str, name: str, value: str) -> Field:
    """Add a value at the end, or bring a deactivated one back. Raises `Refused`."""
    field = _picklist(org, type_name, name)
    value = value.strip()
    if not value or len(value) > (field.length or 255):
        raise _refused(name, f"a value of {name} has 1 to {field.length or 255} characters")
    if value.casefold() in {known.casefold() for known in field.picklist}:
        raise Refused("DUPLICATE_VALUE", f"{name} has the value {value} already", (name,))
    inactive = tuple(known for known in field.inactive if known != value)

    def follow(rows: Table, moment: str) -> None:
        if inactive == field.inactive or "IsActive" not in rows.columns:
            _insert(org, rows, value, len(field.picklist) + 1, moment)
        else:
            _set(org, rows, value, moment, {"IsActive": True})

    changed = replace(field, picklist=(*field.picklist, value), inactive=inactive)
    return _kept(org, type_name, changed, follow)


def rename_value(org: OrgFile, type_name: str, name: str, value: str, new: str) -> Field:
    """Give a value another name, which records that hold it have from then on. Raises `Refused`."""
    field = _picklist(org, type_name, name)
    _see_active(field, value)
    new = new.strip()
    if not new or len(new) > (field.length or 255):
        raise _refused(name, f"a value of {name} has 1 to {field.length or 255} characters")
    others = {known.casefold() for known in (*field.picklist, *field.inactive) if known != value}
    if new.casefold() in others:
        raise Refused("DUPLICATE_VALUE", f"{name} has the value {new} already", (name,))
    values = tuple(new if known == value else known for known in field.picklist)

    def follow(rows: Table, moment: str) -> None:
        _set(org, rows, value, moment, {"MasterLabel": new, "ApiName": new})

    return _kept(org, type_name, replace(field, picklist=values), follow, (value, new))


def deactivate_value(org: OrgFile, type_name: str, name: str, value: str) -> Field:
    """Offer a value no longer; records that hold it keep it. Raises `Refused`."""
    field = _picklist(org, type_name, name)
    _see_active(field, value)
    if len(field.picklist) == 1:
        raise _refused(name, f"{value} is the last value of {name}, which has to have one")
    values = tuple(known for known in field.picklist if known != value)

    def follow(rows: Table, moment: str) -> None:
        if "IsActive" in rows.columns:
            _set(org, rows, value, moment, {"IsActive": False})
        else:  # only active values have a LeadStatus
            for record in _named(org, rows, value):
                gone = (rows.type.name, record, moment, None)
                org.db.execute("INSERT OR REPLACE INTO deleted VALUES (?, ?, ?, ?)", gone)
                org.db.execute(f'DELETE FROM {rows.name} WHERE "Id" = ?', (record,))

    changed = replace(field, picklist=values, inactive=(*field.inactive, value))
    return _kept(org, type_name, changed, follow)


def _refused(name: str, message: str) -> Refused:
    return Refused("FIELD_INTEGRITY_EXCEPTION", message, (name,))


def _picklist(org: OrgFile, type_name: str, name: str) -> Field:
    field = org.table(type_name).type.fields.get(name)
    if field is None:
        raise Refused("INVALID_FIELD", f"{type_name} has no field {name}", (name,))
    if field.vendor_type not in LISTED:
        raise _refused(name, f"{name} is no picklist: it is of the type {field.vendor_type}")
    return field


def _see_active(field: Field, value: str) -> None:
    if value not in field.picklist:
        known = ", ".join(field.picklist)
        raise _refused(field.name, f"{field.name} has no value {value}: it has {known}")


# -- what follows from it -----------------------------------------------------------------------


def _kept(
    org: OrgFile,
    type_name: str,
    field: Field,
    follow: Callable[[Table, str], None],
    renamed: tuple[str, str] | None = None,
) -> Field:
    """Keep the field as it is now; the records of its values, if it has any, follow."""
    with org.transaction() as moment:
        org.keep_field(type_name, field)
        rows = _ROWS.get((type_name, field.name))
        if rows is not None and org.made(rows):
            follow(org.table(rows), moment)
        if renamed is not None and org.made(type_name):
            _replace(org, org.table(type_name), field, *renamed, moment)
    return field


def _replace(org: OrgFile, table: Table, field: Field, old: str, new: str, moment: str) -> None:
    sql = f"SELECT {quoted(table.key)} FROM {table.name} WHERE {quoted(field.name)} = ?"
    for (record,) in org.rows(sql, (old,)):
        touch(org, table, record, moment, {field.name: new})


def _named(org: OrgFile, rows: Table, value: str) -> list[RecordId]:
    sql = f'SELECT "Id" FROM {rows.name} WHERE "ApiName" = ?'
    return [row[0] for row in org.rows(sql, (value,))]


def _set(org: OrgFile, rows: Table, value: str, moment: str, values: dict[str, Any]) -> None:
    for record in _named(org, rows, value):
        touch(org, rows, record, moment, values)


def _insert(org: OrgFile, rows: Table, value: str, place: int, moment: str) -> None:
    number = org.last_number(rows.type.name) + 1
    org.keep_number(rows.type.name, number)
    record = org.new_id(rows.type.name, number)
    flags = ("IsActive", "IsDefault", "IsConverted", "IsClosed", "IsWon")
    values: dict[str, Any] = {
        "Id": record,
        "MasterLabel": value,
        "ApiName": value,
        "SortOrder": place,
        **{name: name == "IsActive" for name in flags if name in rows.columns},
    }
    if "DefaultProbability" in rows.columns:
        forecast = {"ForecastCategory": "Pipeline", "ForecastCategoryName": "Pipeline"}
        values |= {"DefaultProbability": 10, **forecast}
    sql, pick = insertion(org.side, rows.type.name, ("_stamp", *values))
    org.db.execute(sql, pick({"_stamp": moment, **values}))
    touch(org, rows, record, moment, {})
