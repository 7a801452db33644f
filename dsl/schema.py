"""What both systems' types look like: the describes that ship, or live ones, in one shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "Field",
    "Kind",
    "ObjectType",
    "Schema",
    "Side",
    "is_custom",
    "outreach_type",
    "picklist_values",
    "salesforce_type",
    "shipped_schema",
]


class Side(StrEnum):
    """One of the two systems. Salesforce is always the left one in a rule."""

    SALESFORCE = "salesforce"
    OUTREACH = "outreach"

    other: Side


Side.SALESFORCE.other = Side.OUTREACH
Side.OUTREACH.other = Side.SALESFORCE


class Kind(StrEnum):
    """What sort of value a field holds, as far as rules tell values apart."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "date-time"
    REFERENCE = "reference"
    ID = "id"
    LIST = "list"
    OBJECT = "object"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an sObject, or an attribute or relationship of an Outreach resource.

    `vendor_type` is the vendor's own word (`picklist`, `currency`, `string`). `references` are the
    type names that a reference may point to, `relationship` is the word that a dotted path starts
    with (`Owner` for `OwnerId`; in Outreach the name itself). `required` means that a create
    without it is refused, `nillable` that a record may be without a value. `many` is a
    relationship to several records, `linked` one of which Outreach only gives an address.
    `inactive` are values of a picklist that were deactivated: records may still have them.
    """

    name: str
    label: str
    kind: Kind
    vendor_type: str
    length: int = 0
    required: bool = False
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    restricted: bool = False
    picklist: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    relationship: str | None = None
    unique: bool = False
    external_id: bool = False
    filterable: bool = True
    sortable: bool = True
    many: bool = False
    linked: bool = False

    @property
    def is_email(self) -> bool:
        return self.vendor_type == "email"


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A Salesforce object type or an Outreach resource type, with its fields by name."""

    side: Side
    name: str
    label: str
    fields: Mapping[str, Field]

    def by_relationship(self, word: str) -> Field | None:
        """The reference field that a dotted path names by its first word."""
        return next((f for f in self.fields.values() if f.relationship == word), None)


@dataclass(frozen=True)
class Schema:
    """Object types by side and name. `names` may list more than has been loaded so far.

    A `complete` one is what the orgs themselves say they have, custom names included.
    """

    types: Mapping[tuple[Side, str], ObjectType] = field(default_factory=dict)
    complete: bool = False

    def get(self, side: Side, name: str) -> ObjectType | None:
        return self.types.get((side, name))

    def trusts(self, side: Side, name: str) -> bool:
        """Whether a name that is not here may be there all the same: a custom one."""
        return not self.complete and is_custom(side, name)

    def names(self, side: Side) -> tuple[str, ...]:
        return tuple(name for at, name in self.types if at is side)


def is_custom(side: Side, name: str) -> bool:
    """Whether no shipped schema can know the name: `Rating__c`, `custom7`."""
    if side is Side.SALESFORCE:
        return name.endswith(("__c", "__r"))
    return re.fullmatch(r"custom\d+", name) is not None


_SALESFORCE_KINDS = {
    "boolean": Kind.BOOLEAN,
    "int": Kind.NUMBER,
    "long": Kind.NUMBER,
    "double": Kind.NUMBER,
    "currency": Kind.NUMBER,
    "percent": Kind.NUMBER,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "id": Kind.ID,
    "reference": Kind.REFERENCE,
    "address": Kind.OBJECT,
    "location": Kind.OBJECT,
}

# Fields that Salesforce fills by itself on a create, which describe calls `defaultedOnCreate`;
# the recorded describes lack that key.
_SALESFORCE_DEFAULTED = {
    ("Lead", "Status"),
    ("Task", "Status"),
    ("Task", "Priority"),
}

# What Outreach refuses to create a resource without; its published schema does not say (remembered
# from its API's answers, not read).
_OUTREACH_REQUIRED = {
    "account": {"name"},
    "user": {"email", "firstName", "lastName"},
    "stage": {"name"},
    "role": {"name"},
    "opportunity": {"name", "closeDate", "opportunityStage"},
    "opportunityStage": {"name"},
    "opportunityProspectRole": {"opportunity", "prospect"},
}
# What it fills by itself in every record.
_OUTREACH_FILLED = {"createdAt", "updatedAt"}
_OUTREACH_UNIQUE = {
    "prospect": {"emails"},
    "user": {"email"},
    "stage": {"name"},
    "role": {"name"},
    "opportunityStage": {"name"},
}


# Types that a query cannot compare, or not as rules do: a multi-select picklist is one text to it.
_SALESFORCE_UNFILTERED = {"multipicklist", "encryptedstring", "base64", "address", "location"}
_LONGEST_FILTERED = 255  # a longer text area cannot be filtered


def _salesforce_filterable(raw: Mapping[str, Any], kind: Kind) -> bool:
    """Whether a query compares the field as rules do: without regard to case, for one."""
    by_case = kind is Kind.TEXT and raw.get("caseSensitive")
    long = raw["type"] == "textarea" and (raw.get("length") or 0) > _LONGEST_FILTERED
    listed = raw["type"] in _SALESFORCE_UNFILTERED
    return bool(raw.get("filterable", True)) and not (by_case or long or listed)


def picklist_values(raw: Iterable[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The active and the inactive values of a describe's `picklistValues`, in their order."""
    active, inactive = list[str](), list[str]()
    for each in raw:
        plain = isinstance(each, str)
        (active if plain or each.get("active", True) else inactive).append(
            each if plain else each["value"]
        )
    return tuple(active), tuple(inactive)


def salesforce_type(describe: Mapping[str, Any]) -> ObjectType:
    """An sObject's describe answer (`GET /sobjects/X/describe`) as an `ObjectType`."""
    name = describe["name"]
    fields = {}
    for raw in describe["fields"]:
        kind = _SALESFORCE_KINDS.get(raw["type"], Kind.TEXT)
        values, inactive = picklist_values(raw.get("picklistValues") or ())
        defaulted = (
            raw.get("defaultedOnCreate")
            or kind is Kind.BOOLEAN
            or raw["name"] == "OwnerId"
            or (name, raw["name"]) in _SALESFORCE_DEFAULTED
        )
        fields[raw["name"]] = Field(
            name=raw["name"],
            label=raw["label"],
            kind=kind,
            vendor_type=raw["type"],
            length=raw.get("length") or 0,
            required=bool(raw["createable"] and not raw["nillable"] and not defaulted),
            nillable=bool(raw["nillable"]),
            createable=bool(raw["createable"]),
            updateable=bool(raw["updateable"]),
            restricted=bool(raw.get("restrictedPicklist")),
            picklist=values,
            inactive=inactive,
            references=tuple(raw.get("referenceTo") or ()),
            relationship=raw.get("relationshipName"),
            unique=bool(raw.get("unique")),
            external_id=bool(raw.get("externalId")),
            filterable=_salesforce_filterable(raw, kind),
            sortable=bool(raw.get("sortable", True)),
        )
    return ObjectType(Side.SALESFORCE, name, describe.get("label", name), fields)


# Attributes that Outreach's API has and its published schema leaves out (`locked` keeps users from
# editing a record that another system governs).
_OUTREACH_UNPUBLISHED: dict[str, list[dict[str, Any]]] = {
    "prospect": [{"name": "locked", "type": "boolean"}],
}


def _outreach_kind(raw: Mapping[str, Any]) -> Kind:
    match raw.get("type"), raw.get("format"):
        case "string", "date-time":
            return Kind.DATETIME
        case "string", "date":
            return Kind.DATE
        case "integer" | "number", _:
            return Kind.NUMBER
        case "boolean", _:
            return Kind.BOOLEAN
        case "array", _:
            return Kind.LIST
        case "object", _:
            return Kind.OBJECT
        case _:
            return Kind.TEXT


def _label(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", name).lower()
    return words[:1].upper() + words[1:]


def outreach_type(describe: Mapping[str, Any]) -> ObjectType:
    """A resource of Outreach's published schema as an `ObjectType`.

    Shape: `{"type", "attributes": [{name, type, format}], "relationships": [{name, type, many}]}`.
    """
    name = describe["type"]
    required = _OUTREACH_REQUIRED.get(name, set())
    unique = _OUTREACH_UNIQUE.get(name, set())
    fields = {
        "id": Field(
            "id", "Id", Kind.ID, "integer", nillable=False, createable=False, updateable=False
        ),
    }
    known = {raw["name"] for raw in describe["attributes"]}
    added = [raw for raw in _OUTREACH_UNPUBLISHED.get(name, []) if raw["name"] not in known]
    for raw in (*describe["attributes"], *added):
        writable = not raw.get("readOnly")
        item = (raw.get("items") or {}).get("format")
        fields[raw["name"]] = Field(
            name=raw["name"],
            label=_label(raw["name"]),
            kind=_outreach_kind(raw),
            vendor_type="email" if "email" in (raw.get("format"), item) else str(raw["type"]),
            length=raw.get("maxLength") or 0,
            required=raw["name"] in required,
            nillable=raw["name"] not in required | _OUTREACH_FILLED,
            createable=writable,
            updateable=writable,
            unique=raw["name"] in unique,
            filterable=bool(raw.get("filterable")) or raw["name"] == "emails",
            sortable=bool(raw.get("sortable")),
        )
    for raw in describe["relationships"]:
        target = raw["type"]
        writable = not (raw.get("readOnly") or raw.get("linksOnly"))
        fields[raw["name"]] = Field(
            name=raw["name"],
            label=_label(raw["name"]),
            kind=Kind.LIST if raw["many"] else Kind.REFERENCE,
            vendor_type="relationship",
            required=raw["name"] in required,
            nillable=raw["name"] not in required,
            createable=writable,
            updateable=writable,
            references=tuple(target) if isinstance(target, list) else (target,) if target else (),
            relationship=raw["name"],
            sortable=False,
            many=bool(raw["many"]),
            linked=bool(raw.get("linksOnly")),
        )
    return ObjectType(Side.OUTREACH, name, _label(name), fields)


_DESCRIBES = Path(__file__).parent / "describes"


class _Shipped(Mapping[tuple[Side, str], ObjectType]):
    """The shipped describes, each read only when a rule names its type."""

    def __init__(self) -> None:
        self._files = {
            (side, file.stem): file
            for side in Side
            for file in sorted((_DESCRIBES / side.value).glob("*.json"))
        }
        self._loaded: dict[tuple[Side, str], ObjectType] = {}

    def __getitem__(self, key: tuple[Side, str]) -> ObjectType:
        if key not in self._loaded:
            raw = json.loads(self._files[key].read_text(encoding="utf-8"))
            read = salesforce_type if key[0] is Side.SALESFORCE else outreach_type
            self._loaded[key] = read(raw)
        return self._loaded[key]

    def __iter__(self) -> Iterator[tuple[Side, str]]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, key: object) -> bool:
        return key in self._files


@cache
def shipped_schema() -> Schema:
    """The standard objects of both systems, as the program ships them."""
    return Schema(_Shipped())
