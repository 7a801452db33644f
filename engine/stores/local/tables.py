"""How a type's records lie in a table: columns, what is put together from others, and its SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dsl.schema import Field, Kind, ObjectType, Side, is_custom

__all__ = ["DERIVED", "Derived", "Table", "address_parts", "quoted", "shape", "table_of"]

#: Parts of a compound address by the key that they have in it.
_ADDRESS = {
    "city": "City",
    "country": "Country",
    "geocodeAccuracy": "GeocodeAccuracy",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "postalCode": "PostalCode",
    "state": "State",
    "street": "Street",
}


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that follows from others: SQL with a `{part}` for each of `parts`."""

    parts: tuple[str, ...]
    sql: str


def _name(first: str, last: str) -> Derived:
    joined = f"trim(coalesce({{{first}}}, '') || ' ' || coalesce({{{last}}}, ''))"
    return Derived((first, last), f"nullif({joined}, '')")


_PERSON = {"Name": _name("FirstName", "LastName")}
_YEAR = "CAST(substr({CloseDate}, 1, 4) AS INTEGER)"
_QUARTER = "((CAST(substr({CloseDate}, 6, 2) AS INTEGER) + 2) / 3)"
_DATED = "CASE WHEN {CloseDate} IS NOT NULL THEN %s END"

#: Columns that the org keeps by itself, by side and type.
DERIVED: Mapping[tuple[Side, str], Mapping[str, Derived]] = {
    (Side.SALESFORCE, "Lead"): _PERSON,
    (Side.SALESFORCE, "Contact"): _PERSON,
    (Side.SALESFORCE, "User"): _PERSON,
    (Side.SALESFORCE, "Opportunity"): {
        "ExpectedRevenue": Derived(("Amount", "Probability"), "{Amount} * {Probability} / 100"),
        "FiscalYear": Derived(("CloseDate",), _DATED % _YEAR),
        "FiscalQuarter": Derived(("CloseDate",), _DATED % _QUARTER),
        "Fiscal": Derived(("CloseDate",), _DATED % f"{_YEAR} || ' ' || {_QUARTER}"),
    },
    (Side.SALESFORCE, "Task"): {
        "IsClosed": Derived(("Status",), "({Status} IS 'Completed')"),
        "IsHighPriority": Derived(("Priority",), "({Priority} IS 'High')"),
    },
    (Side.OUTREACH, "prospect"): {"name": _name("firstName", "lastName")},
    (Side.OUTREACH, "user"): {"name": _name("firstName", "lastName")},
    (Side.OUTREACH, "opportunity"): {"stage": Derived(("opportunityStage",), "{opportunityStage}")},
}


def quoted(name: str) -> str:
    """A name of the schema as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def shape(field: Field) -> str:
    """How a column's value is told apart in SQLite: `boolean`, `json` or `plain`."""
    if field.kind is Kind.BOOLEAN:
        return "boolean"
    return "json" if field.kind in (Kind.LIST, Kind.OBJECT) else "plain"


def address_parts(type_: ObjectType, field: Field) -> dict[str, str]:
    """The columns that a compound address is put together from, by their keys in it."""
    prefix = field.name.removesuffix("Address")
    return {k: prefix + p for k, p in _ADDRESS.items() if prefix + p in type_.fields}


@dataclass(frozen=True)
class Table:
    """A type's table. `key` is its id column; `columns` are the fields that are kept, by name.

    `shapes` are the columns that are no relationships, with their shapes; `unique` are those of
    which no two records may hold the same. Besides them there are `_stamp`, the row's change stamp,
    and `_extra`, a JSON object of what a loaded record had and the type does not.
    """

    type: ObjectType
    key: str
    columns: Mapping[str, Field]
    shapes: Mapping[str, str]
    unique: tuple[str, ...]

    @property
    def name(self) -> str:
        return quoted(self.type.name)

    def ddl(self) -> list[str]:
        """The statements that make the table and its indexes."""
        whole = self.type.side is Side.OUTREACH
        key = f"{quoted(self.key)} {'INTEGER' if whole else 'TEXT'} PRIMARY KEY NOT NULL"
        columns = [key, "_stamp TEXT NOT NULL", *map(self._column, self.columns.values())]
        listed = ", ".join([*columns, "_extra TEXT"])
        indexed = "_stamp" if whole else f"_stamp, {quoted(self.key)}"
        by_stamp = quoted(f"{self.type.name} by stamp")
        statements = [
            f"CREATE TABLE IF NOT EXISTS {self.name} ({listed})",
            f"CREATE INDEX IF NOT EXISTS {by_stamp} ON {self.name} ({indexed})",
        ]
        if self.type.name == "sequenceState":
            statements.append(
                'CREATE INDEX IF NOT EXISTS "sequenceState by prospect"'
                ' ON "sequenceState" ("prospect")'
            )
        return statements

    def _column(self, field: Field) -> str:
        name = quoted(field.name)
        if field.kind is Kind.BOOLEAN:
            return f"{name} DEFAULT 0"
        if field.kind is Kind.LIST and not field.many:
            return f"{name} DEFAULT '[]'"
        return name


def table_of(type_: ObjectType) -> Table:
    """The table for a type; custom fields lie last, since SQLite reads a row from the front."""
    key = "Id" if type_.side is Side.SALESFORCE else "id"
    kept = [
        f
        for f in type_.fields.values()
        if f.name != key and not (f.kind is Kind.OBJECT and type_.side is Side.SALESFORCE)
    ]
    kept.sort(key=lambda f: is_custom(type_.side, f.name))
    return Table(
        type_,
        key,
        {f.name: f for f in kept},
        {f.name: shape(f) for f in kept if f.vendor_type != "relationship"},
        tuple(f.name for f in kept if f.unique),
    )
