"""What the org's types look like: its own describes, kept for a while, and what ships of others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from dsl.schema import Field, Kind, ObjectType, Side, salesforce_type, shipped_schema
from engine.ports import StoreError
from engine.stores.salesforce.connection import Connection
from engine.stores.salesforce.problems import VendorProblem
from engine.stores.salesforce.soql import checked_name

__all__ = ["Types"]

_KEPT = 600.0  # seconds; an administrator's change is seen after that
_NAME = Field("Name", "Name", Kind.TEXT, "string")  # which whatever may be referred to has
_STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


class Types:
    """Describes by name. A call is made for one only where what ships does not tell."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: dict[str, tuple[float, dict[str, Any] | None]] = {}
        self._read: dict[str, tuple[float, ObjectType]] = {}

    def raw(self, name: str) -> dict[str, Any] | None:
        """A type's describe as Salesforce answers it; None if the user sees no such type."""
        at, known = self._kept.get(name, (0.0, None))
        if name not in self._kept or time.monotonic() - at > _KEPT:
            known = self._ask(name)
            self._kept[name] = time.monotonic(), known
        return known

    def _ask(self, name: str) -> dict[str, Any] | None:
        try:
            decode = msgspec.json.Decoder(dict[str, Any]).decode
            return self._connection.read(f"sobjects/{checked_name(name)}/describe", decode)
        except VendorProblem as problem:
            if problem.status == 404 or problem.code == "INVALID_TYPE":
                return None
            raise

    def describe(self, name: str) -> ObjectType | None:
        """The type as this org has it; None if the user sees no such type."""
        raw = self.raw(name)
        if raw is None:
            return None
        at = self._kept[name][0]
        known = self._read.get(name)
        if known is None or known[0] != at:
            known = self._read[name] = at, salesforce_type(raw)
        return known[1]

    def usual(self, name: str) -> ObjectType:
        """The type as it ships, or as the org has it. Raises `StoreError` if there is none."""
        shipped = shipped_schema().get(Side.SALESFORCE, name)
        found = shipped or self.describe(name)
        if found is None:
            raise StoreError(missing_type(name))
        return found

    def field(self, type_name: str, path: str) -> Field | None:
        """The field at the end of a path, if one type for each step, or its name, tells it."""
        first, _, rest = path.partition(".")
        found = self.usual(type_name)
        if not rest:
            known = found.fields.get(first)
            live = None if known else self.describe(type_name)
            return known or (live.fields.get(first) if live else None)
        through = found.by_relationship(first)
        if through is None or len(through.references) != 1:
            return _NAME if through is not None and rest == "Name" else None
        return self.field(through.references[0], rest)

    def stamp(self, name: str) -> str | None:
        """The field by which changes of a type are read; None if it has none, as few have."""
        fields = self.usual(name).fields
        return next((stamp for stamp in _STAMPS if stamp in fields), None)

    def has(self, name: str, field: str) -> bool:
        return field in self.usual(name).fields

    def unseen(self, name: str, paths: Sequence[str], problem: VendorProblem) -> StoreError:
        """A query that names what the connected user does not see, in the rules' words."""
        found = self.describe(name)
        if found is None:
            return StoreError(missing_type(name))
        missing = [path for path in paths if not _begins(found, path)]
        if not missing:
            return StoreError(f"Salesforce {name} cannot be read: {problem.message}")
        names = ", ".join(f"`{path}`" for path in dict.fromkeys(missing))
        which = "field" if len(missing) == 1 else "fields"
        return StoreError(
            f"the connected user does not see the {which} {names} of Salesforce {name}: correct"
            " the name, or let the user's profile or permission set read it (Setup, Object Manager,"
            f" {name}, Fields & Relationships, Set Field-Level Security)"
        )


def missing_type(name: str) -> str:
    return (
        f"Salesforce has no object `{name}` that the connected user sees: correct the name, or give"
        " the user's profile or permission set `Read` on it"
    )


def _begins(type_: ObjectType, path: str) -> bool:
    first, _, rest = path.partition(".")
    return type_.by_relationship(first) is not None if rest else first in type_.fields
