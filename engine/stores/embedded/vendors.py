"""How the two vendors differ inside a local org: stamps, ids, defaults, refusals, JSON shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from dsl.schema import Kind, ObjectType, Side
from engine.model import RecordId
from engine.stores.embedded.checks import Problem
from engine.stores.embedded.ids import nth_id
from engine.stores.embedded.tables import Tables, quoted

__all__ = ["VENDORS", "Stamp", "Vendor"]


class Stamp(NamedTuple):
    """One instant: normalised for scans, and as the vendor writes it."""

    normal: str
    text: str


class Vendor(Protocol):
    """What a local org asks about its vendor. Sizes are records or values a call."""

    page_size: int
    write_size: int
    find_size: int
    watched: tuple[str, ...]
    keeps_deleted: bool
    bad_reference: str
    missing: str
    duplicate: str

    def tick(self, at: str) -> Stamp: ...
    def new_id(self, type_name: str, number: int) -> RecordId: ...
    def defaults(self, described: ObjectType, tables: Tables) -> dict[str, Any]: ...
    def created(self, described: ObjectType, at: Stamp) -> dict[str, Any]: ...
    def changed(self, described: ObjectType, at: Stamp) -> dict[str, Any]: ...
    def forbids(
        self, described: ObjectType, found: dict[str, Any] | None, record: RecordId
    ) -> Problem | None: ...
    def derive(
        self, tables: Tables, described: ObjectType, ids: Sequence[RecordId], names: Sequence[str]
    ) -> None: ...


class Salesforce:
    """Salesforce's own ways."""

    page_size = 2000
    write_size = 200
    find_size = 1000
    watched = ("IsConverted",)
    keeps_deleted = True
    bad_reference = "INVALID_CROSS_REFERENCE_KEY"
    missing = "REQUIRED_FIELD_MISSING"
    duplicate = "DUPLICATE_VALUE"

    def __init__(self) -> None:
        self._defaults: dict[str, dict[str, Any]] = {}

    def tick(self, at: str) -> Stamp:
        """Salesforce stamps to the second."""
        return Stamp(f"{at[:19]}.000Z", f"{at[:19]}.000+0000")

    def new_id(self, type_name: str, number: int) -> RecordId:
        return nth_id(type_name, number)

    def defaults(self, described: ObjectType, tables: Tables) -> dict[str, Any]:
        """Checkboxes are false, a status is its first one, the owner is the org's first user."""
        if described.name not in self._defaults:
            values: dict[str, Any] = {
                f.name: False for f in described.fields.values() if f.kind is Kind.BOOLEAN
            }
            for name, preferred in (("Status", None), ("Priority", "Normal")):
                known = described.fields.get(name)
                if known is not None and known.picklist:
                    values[name] = preferred or known.picklist[0]
            self._defaults[described.name] = values
        values = dict(self._defaults[described.name])
        if "OwnerId" in described.fields:
            tables.type("User")
            row = tables.db.execute('SELECT _id FROM "User" ORDER BY _id LIMIT 1').fetchone()
            values["OwnerId"] = row[0] if row else None
        return values

    def created(self, described: ObjectType, at: Stamp) -> dict[str, Any]:
        return {"CreatedDate": at.text} if "CreatedDate" in described.fields else {}

    def changed(self, described: ObjectType, at: Stamp) -> dict[str, Any]:
        names = [n for n in ("LastModifiedDate", "SystemModstamp") if n in described.fields]
        return {"_stamp": at.normal} | dict.fromkeys(names, at.text)

    def forbids(
        self, described: ObjectType, found: dict[str, Any] | None, record: RecordId
    ) -> Problem | None:
        if found is None:
            return Problem("NOT_FOUND", f"there is no {described.name} {record}", "Id")
        if found["_deleted"]:
            return Problem("ENTITY_IS_DELETED", "entity is deleted", "Id")
        if found.get("IsConverted"):
            text = "cannot reference converted lead"
            return Problem("CANNOT_UPDATE_CONVERTED_LEAD", text, "Id")
        return None

    def derive(
        self, tables: Tables, described: ObjectType, ids: Sequence[RecordId], names: Sequence[str]
    ) -> None:
        _join_names(tables, described, ids, names, "Name", ("FirstName", "LastName"))


class Outreach:
    """Outreach's own ways."""

    page_size = 1000
    write_size = 1
    find_size = 200
    watched = ()
    keeps_deleted = False
    bad_reference = "validationError"
    missing = "validationError"
    duplicate = "validationError"

    def __init__(self) -> None:
        self._defaults: dict[str, dict[str, Any]] = {}

    def tick(self, at: str) -> Stamp:
        return Stamp(at, at)

    def new_id(self, type_name: str, number: int) -> RecordId:
        return number

    def defaults(self, described: ObjectType, tables: Tables) -> dict[str, Any]:
        """Switches are off and lists are empty."""
        if described.name not in self._defaults:
            self._defaults[described.name] = {
                f.name: [] if f.kind is Kind.LIST else False
                for f in described.fields.values()
                if f.createable
                and (f.kind is Kind.BOOLEAN or (f.kind is Kind.LIST and not f.relationship))
            }
        return dict(self._defaults[described.name])

    def created(self, described: ObjectType, at: Stamp) -> dict[str, Any]:
        return {"createdAt": at.text} if "createdAt" in described.fields else {}

    def changed(self, described: ObjectType, at: Stamp) -> dict[str, Any]:
        names = [n for n in ("updatedAt",) if n in described.fields]
        return {"_stamp": at.normal} | dict.fromkeys(names, at.text)

    def forbids(
        self, described: ObjectType, found: dict[str, Any] | None, record: RecordId
    ) -> Problem | None:
        if found is None:
            text = f"could not find {described.name} with id '{record}'"
            return Problem("resourceNotFound", text, "id")
        return None

    def derive(
        self, tables: Tables, described: ObjectType, ids: Sequence[RecordId], names: Sequence[str]
    ) -> None:
        if described.name in ("prospect", "user"):
            _join_names(tables, described, ids, names, "name", ("firstName", "lastName"))


def _join_names(
    tables: Tables,
    described: ObjectType,
    ids: Sequence[RecordId],
    names: Sequence[str],
    whole: str,
    parts: tuple[str, str],
) -> None:
    """A person's name follows its parts."""
    fields = described.fields
    if not (set(parts) & set(names)) or whole not in fields or fields[whole].createable:
        return
    first, last = map(quoted, parts)
    tables.db.executemany(
        f"UPDATE {quoted(described.name)} SET {quoted(whole)} ="
        f" nullif(trim(coalesce({first}, '') || ' ' || coalesce({last}, '')), '') WHERE _id = ?",
        [(record,) for record in ids],
    )


VENDORS: dict[Side, Vendor] = {Side.SALESFORCE: Salesforce(), Side.OUTREACH: Outreach()}
