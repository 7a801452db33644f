"""The org's types as its API user sees them: without hidden fields, found in any case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from dsl.schema import Field, ObjectType
from engine.sandbox.salesforce.errors import ApiError, not_found
from engine.sandbox.salesforce.setup import Setup
from engine.stores.local import LocalOrg
from engine.stores.local.ids import PREFIXES

__all__ = ["Visible", "no_column"]


@dataclass
class Visible:
    """Looks types and fields up; a type is worked out anew when its custom fields have changed."""

    org: LocalOrg
    setup: Setup
    _types: dict[str, tuple[ObjectType, ObjectType, dict[str, str]]] = field(default_factory=dict)
    _changed: dict[str, datetime] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The names of all types."""
        return sorted(PREFIXES)

    def find(self, name: str) -> ObjectType | None:
        """The type of a name in any case, or None."""
        entry = self._entry(name)
        return None if entry is None else entry[1]

    def type(self, name: str) -> ObjectType:
        """The type of a name in any case. Raises `ApiError`."""
        found = self.find(name)
        if found is None:
            raise not_found()
        return found

    def field(self, type_name: str, name: str) -> Field | None:
        """The field of a name in any case, or None."""
        entry = self._entry(type_name)
        known = None if entry is None else entry[2].get(name.casefold())
        return None if entry is None or known is None else entry[1].fields[known]

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

    def _entry(self, name: str) -> tuple[ObjectType, ObjectType, dict[str, str]] | None:
        if name not in PREFIXES:
            name = {n.casefold(): n for n in PREFIXES}.get(name.casefold(), "")
        whole = self.org.describe(name) if name else None
        if whole is None:
            return None
        known = self._types.get(name)
        if known is None or known[0].fields.keys() != whole.fields.keys():
            hidden = {f for t, f in self.setup.hidden if t == name}
            fields = {n: f for n, f in whole.fields.items() if n not in hidden}
            seen = replace(whole, fields=fields)
            self._changed[name] = self.org.file.instant().replace(microsecond=0)
            known = self._types[name] = (whole, seen, {n.casefold(): n for n in fields})
        return known


def no_column(type_name: str, name: str) -> ApiError:
    """What Salesforce says of a field that is not there, or that the user may not see."""
    message = f"No such column '{name}' on sobject of type {type_name}"
    return ApiError(400, "INVALID_FIELD", message)
