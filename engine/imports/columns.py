"""Which field each column of a list is: by API name, by label, by what reports call it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dsl.schema import Kind, ObjectType, shipped_schema

__all__ = ["ID", "Column", "Columns", "known_headers", "matched"]

ID = "Id"

# What the report builder calls fields where that differs from their labels (remembered from its
# exports; `Owner.Name` and the like are paths through a reference).
_ALL = {
    "Record ID": ID,
    "Case Safe ID": ID,
    "Create Date": "CreatedDate",
    "Created By": "CreatedBy.Name",
    "Last Modified By": "LastModifiedBy.Name",
    "Mobile": "MobilePhone",
    "Home Phone": "HomePhone",
    "Owner Name": "Owner.Name",
    "Owner Role": "Owner.UserRole.Name",
}
_OWN = {
    "Lead": {
        "Company / Account": "Company",
        "Lead Status": "Status",
        "Lead Owner": "Owner.Name",
        "Lead Owner Alias": "Owner.Alias",
        "Name": "Name",
        "No. of Employees": "NumberOfEmployees",
        "Country Code": "CountryCode",
        "Last Activity": "LastActivityDate",
    },
    "Contact": {
        "Phone": "Phone",
        "Fax": "Fax",
        "Account Name": "Account.Name",
        "Contact Owner": "Owner.Name",
        "Contact Owner Alias": "Owner.Alias",
        "Reports To": "ReportsTo.Name",
        "Mailing Zip/Postal Code": "MailingPostalCode",
    },
    "Account": {
        "Phone": "Phone",
        "Fax": "Fax",
        "Account Owner": "Owner.Name",
        "Account Owner Alias": "Owner.Alias",
        "Parent Account": "Parent.Name",
        "Type": "Type",
    },
    "Opportunity": {
        "Opportunity Name": "Name",
        "Opportunity Owner": "Owner.Name",
        "Account Name": "Account.Name",
        "Stage": "StageName",
        "Probability (%)": "Probability",
    },
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: where it stands, what it is headed, and its field, or a path to it."""

    at: int
    header: str
    path: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that are fields; `notes` tell of the others, in words."""

    found: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def at(self, path: str) -> int | None:
        """Where the column of a field stands."""
        return next((c.at for c in self.found if c.path == path), None)


def _plain(text: str) -> str:
    """A header as it is compared: without regard to case and white space."""
    return " ".join(text.split()).casefold()


def _names(type_: ObjectType, paths: Iterable[str]) -> list[Mapping[str, set[str]]]:
    """What columns may be called: API names before report labels before the fields' own labels."""
    api = {_plain(name): {name} for name in (*paths, *type_.fields)}
    report = {_plain(k): {v} for k, v in (_ALL | _OWN.get(type_.name, {})).items()}
    report |= {_plain(f"{type_.label} ID"): {ID}, _plain(f"{type_.name} ID"): {ID}}
    labels: dict[str, set[str]] = {}
    for known in type_.fields.values():
        labels.setdefault(_plain(known.label), set()).add(known.name)
    return [api, report, labels]


def known_headers(type_: ObjectType, paths: Iterable[str]) -> Callable[[Sequence[str]], int]:
    """How many of some headers are fields of a type."""
    names = _names(type_, paths)
    return lambda headers: sum(any(_plain(h) in each for each in names) for h in headers)


def matched(headers: Sequence[str], type_: ObjectType, paths: Iterable[str]) -> Columns:
    """Match headers to fields; `paths` are what the rules read, dotted ones among them."""
    names = _names(type_, paths)
    found: dict[str, Column] = {}
    notes, unknown = [], []
    for at, header in enumerate(headers):
        fields = next((each[_plain(header)] for each in names if _plain(header) in each), set())
        if len(fields) > 1:
            several = " or ".join(sorted(fields))
            notes.append(f"`{header}` may be {several}: head the column with its API name")
        elif not fields:
            if header.strip():
                unknown.append(header)
                notes.append(f"`{header}` is no field of {type_.name}: the column is left out")
        else:
            (path,) = fields
            if path in found:
                first = found[path].header
                notes.append(f"`{first}` and `{header}` are both {path}: the first one counts")
            else:
                found[path] = Column(at, header, path, _kind(type_, path))
    return Columns(tuple(found.values()), tuple(notes), tuple(unknown))


def _kind(type_: ObjectType, path: str) -> Kind:
    """What kind of value a field holds, or the field that a path leads to."""
    *words, name = path.split(".")
    at: ObjectType | None = type_
    for word in words:
        through = at.by_relationship(word) if at else None
        targets = through.references if through else ()
        at = shipped_schema().get(type_.side, targets[0]) if targets else None
    known = at.fields.get(name) if at else None
    return known.kind if known else Kind.UNKNOWN
