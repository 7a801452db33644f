"""The org's types as its API user sees them: without hidden fields, found in any case."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dsl.schema import Field, ObjectType
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.setup import Setup
from engine.stores.local import LocalOrg
from engine.stores.local.ids import PREFIXES
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import Table, table_of

__all__ = ["SeenFile", "Visible", "no_column"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A type as it is and as it is seen, with its fields by their names and their folded names."""

    custom: tuple[Field, ...]
    whole: ObjectType
    seen: ObjectType
    fields: Mapping[str, Field]


@dataclass
class Visible:
    """Looks types and fields up; a type is worked out anew when its custom fields have changed."""

    org: LocalOrg
    setup: Setup
    _types: dict[str, _Entry] = field(default_factory=dict)
    _changed: dict[str, datetime] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The names of all types."""
        return sorted(PREFIXES)

    def find(self, name: str) -> ObjectType | None:
        """The type of a name in any case, or None."""
        entry = self._entry(name)
        return None if entry is None else entry.seen

    def type(self, name: str) -> ObjectType:
        """The type of a name in any case. Raises `ApiError`."""
        found = self.find(name)
        if found is None:
            raise not_found()
        return found

    def fields(self, type_name: str) -> Mapping[str, Field]:
        """A type's fields by their names, and also by their names in case-folded form."""
        entry = self._entry(type_name)
        return {} if entry is None else entry.fields

    def field(self, type_name: str, name: str) -> Field | None:
        """The field of a name in any case, or None."""
        fields = self.fields(type_name)
        return fields.get(name) or fields.get(name.casefold())

    def column(self, type_name: str, name: str) -> Field:
        """As `field`. Raises `ApiError`."""
        found = self.field(type_name, name)
        if found is None:
            raise no_column(type_name, name)
        return found

    def changed(self, type_name: str) -> datetime:
        """When a type was last seen to change; a server's start counts as a change."""
        self._entry(type_name)
        return self._changed[type_name]

    def _entry(self, name: str) -> _Entry | None:
        if name not in PREFIXES:
            name = {n.casefold(): n for n in PREFIXES}.get(name.casefold(), "")
        custom, known = self.org.file.custom_fields(name), self._types.get(name)
        if known is not None and known.custom is custom:
            return known
        whole = self.org.describe(name) if name else None
        if whole is None:
            return None
        if known is None or known.whole.fields != whole.fields:
            self._changed[name] = self.org.file.instant().replace(microsecond=0)
        seen = without(whole, self.setup.hidden)
        fields = {n.casefold(): f for n, f in seen.fields.items()} | dict(seen.fields)
        entry = self._types[name] = _Entry(custom, whole, seen, fields)
        return entry


def without(type_: ObjectType, hidden: Collection[tuple[str, str]]) -> ObjectType:
    """A type without its hidden fields."""
    kept = {n: f for n, f in type_.fields.items() if (type_.name, n) not in hidden}
    return type_ if len(kept) == len(type_.fields) else replace(type_, fields=kept)


class SeenFile(OrgFile):
    """An org's open file, of whose types the hidden fields are not known to be there.

    For those who look types up for themselves; it shares the connection, and is not to be closed.
    """

    def __init__(self, whole: OrgFile, hidden: Collection[tuple[str, str]]) -> None:
        self.__dict__.update(whole.__dict__)
        self._whole, self._hidden = whole, hidden
        self._seen: dict[str, tuple[Table, Table]] = {}

    def describe(self, type_name: str) -> ObjectType | None:
        """The type as the user sees it, or None if the org has no such type."""
        whole = self._whole.describe(type_name)
        return None if whole is None else without(whole, self._hidden)

    def table(self, type_name: str) -> Table:
        """A type's table without its hidden columns. Raises `StoreError`."""
        whole = self._whole.table(type_name)
        known = self._seen.get(type_name)
        if known is None or known[0] is not whole:
            known = self._seen[type_name] = (whole, table_of(without(whole.type, self._hidden)))
        return known[1]

    def make(self, table: Table) -> None:
        """See in a transaction that the type's table is there, the whole of it."""
        self._whole.make(self._whole.table(table.type.name))


def no_column(type_name: str, name: str) -> ApiError:
    """What Salesforce says of a field that is not there, or that the user may not see."""
    message = f"No such column '{name}' on sobject of type {type_name}"
    return ApiError(400, "INVALID_FIELD", message)
