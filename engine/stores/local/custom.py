"""What an administrator adds to a local org's types, custom fields and values of picklists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from dsl.schema import Field, Kind, ObjectType, Side, is_custom, picklist_values
from engine.stores.local.refusals import Refused

__all__ = [
    "FIELDS",
    "FIELD_TYPES",
    "LISTED",
    "as_document",
    "as_external_id",
    "extended",
    "field_of",
    "labelled",
    "of_document",
]

#: What a field may be, in Salesforce's own words for its field types where it has one, each with
#: its `type` in a describe.
FIELD_TYPES: Mapping[str, tuple[Kind, str]] = {
    "text": (Kind.TEXT, "string"),
    "textarea": (Kind.TEXT, "textarea"),
    "number": (Kind.NUMBER, "double"),
    "checkbox": (Kind.BOOLEAN, "boolean"),
    "date": (Kind.DATE, "date"),
    "datetime": (Kind.DATETIME, "datetime"),
    "picklist": (Kind.TEXT, "picklist"),
    "reference": (Kind.REFERENCE, "reference"),
}
#: Types of fields that have a list of values.
LISTED = ("picklist", "multipicklist")
#: The file of a dump that holds an org's custom fields.
FIELDS = "custom_fields.json"
#: The longest that Salesforce takes, and what it takes unless it is told.
_LENGTHS = {"text": (255, 255), "textarea": (131_072, 32_768), "picklist": (255, 255)}
# A package's field has the package's namespace before its name.
_NAME = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,14}__)?([A-Za-z](?:_?[A-Za-z0-9])*)__c")
_NAME_LENGTH = 40  # Salesforce's bound on an API name, without its namespace and suffix
_WORDS = re.compile(r"[_\s]+")


def field_of(
    type_: ObjectType,
    name: str,
    kind: str,
    values: Sequence[str] = (),
    length: int | None = None,
    label: str | None = None,
    to: str | None = None,
) -> Field:
    """A new custom field of a Salesforce type, checked. Raises `Refused`.

    `kind` is one of `FIELD_TYPES`; `to` is the type that a reference points to. A picklist takes
    its values only, as Salesforce makes new ones. A text is at most 255 characters long, a textarea
    131,072.
    """
    if type_.side is Side.OUTREACH:
        raise Refused(
            "validationError",
            f"an Outreach type has its custom fields already, custom1 and on: {name} can only be"
            " given a label (leave out --type)",
            (name,),
        )
    _see_name(type_, name)
    longest, usual = _LENGTHS.get(kind, (0, 0))
    if length is not None and kind not in ("text", "textarea"):
        raise _refused(name, f"only a text has a length, and {name} is a {kind} (--length)")
    if length is not None and not 1 <= length <= longest:
        raise _refused(name, f"a {kind} is 1 to {longest:,} characters long, not {length}")
    if (kind == "picklist") != bool(values):
        raise _refused(name, "a picklist needs its values, and no other field has them (--values)")
    if (kind == "reference") != (to is not None):
        raise _refused(name, "a reference needs the type that it points to, and no other has it")
    sort, vendor_type = FIELD_TYPES[kind]
    boolean = sort is Kind.BOOLEAN
    return Field(
        name,
        label or _WORDS.sub(" ", name.removesuffix("__c")),
        sort,
        vendor_type,
        length=length or usual,
        nillable=not boolean,
        restricted=kind == "picklist",
        picklist=tuple(dict.fromkeys(values)),
        references=() if to is None else (to,),
        relationship=name.removesuffix("c") + "r" if to is not None else None,
    )


def as_external_id(field: Field) -> Field:
    """A text by which records can be named, and of which no two have the same. Raises `Refused`."""
    if field.vendor_type != "string":
        message = f"only a text can be an external id, and {field.name} is a {field.vendor_type}"
        raise _refused(field.name, message)
    return replace(field, unique=True, external_id=True)


def _see_name(type_: ObjectType, name: str) -> None:
    found = _NAME.fullmatch(name)
    if found is None or len(found[1]) > _NAME_LENGTH:
        raise _refused(
            name,
            f"`{name}` is no name for a custom field: letters, digits and single `_`, at most"
            f" {_NAME_LENGTH}, a letter first, and `__c` at the end",
        )
    taken = {n.casefold() for n in type_.fields}
    if name.casefold() in taken:
        raise Refused(
            "DUPLICATE_DEVELOPER_NAME", f"{type_.name} has a field {name} already", (name,)
        )


def _refused(name: str, message: str) -> Refused:
    return Refused("FIELD_INTEGRITY_EXCEPTION", message, (name,))


def labelled(type_: ObjectType, name: str, label: str) -> Field:
    """A custom field that is there, under another label. Raises `Refused`."""
    found = type_.fields.get(name)
    if found is None or not is_custom(type_.side, name):
        code = "validationError" if type_.side is Side.OUTREACH else "INVALID_FIELD"
        raise Refused(code, f"{type_.name} has no custom field {name}", (name,))
    return replace(found, label=label)


def extended(type_: ObjectType, fields: Iterable[Field]) -> ObjectType:
    """The type with these fields added, or in the place of those of their names."""
    return replace(type_, fields={**type_.fields, **{f.name: f for f in fields}})


# -- as files keep them -------------------------------------------------------------------------


def as_document(field: Field) -> dict[str, Any]:
    """A custom field as a file keeps it: in the keys of Salesforce's describe."""
    document: dict[str, Any] = {"name": field.name, "label": field.label, "type": field.vendor_type}
    if field.length:
        document["length"] = field.length
    if field.picklist or field.inactive:
        inactive = [{"value": value, "active": False} for value in field.inactive]
        document["picklistValues"] = [*field.picklist, *inactive]
    if field.references:
        document["referenceTo"] = list(field.references)
    if field.external_id:
        document["externalId"] = True
    return document


class _Value(msgspec.Struct):
    value: str
    active: bool = True


class _Document(msgspec.Struct):
    name: str
    label: str
    type: str
    length: int = 0
    picklistValues: list[str | _Value] = []  # noqa: N815 - as describe has it
    referenceTo: list[str] = []  # noqa: N815 - as describe has it
    externalId: bool = False  # noqa: N815 - as describe has it


def of_document(type_: ObjectType, raw: Any) -> Field:
    """The field that `as_document` made the document of. Raises `ValueError`, or `Refused`."""
    document = msgspec.convert(raw, _Document)
    known = type_.fields.get(document.name)
    active, inactive = picklist_values(map(msgspec.to_builtins, document.picklistValues))
    if known is not None and (active or inactive) and known.vendor_type in LISTED:
        label = document.label if is_custom(type_.side, known.name) else known.label
        return replace(known, label=label, picklist=active, inactive=inactive)
    if type_.side is Side.OUTREACH or known is not None:
        return labelled(type_, document.name, document.label)
    kinds = {vendor: kind for kind, (_, vendor) in FIELD_TYPES.items()}
    if document.type not in kinds:
        raise ValueError(f"`{document.name}` is of the type `{document.type}`, which none can have")
    kind = kinds[document.type]
    made = field_of(
        type_,
        document.name,
        kind,
        active or inactive,
        document.length if kind.startswith("text") and document.length else None,
        document.label,
        document.referenceTo[0] if document.referenceTo else None,
    )
    made = replace(made, picklist=active, inactive=inactive)
    return as_external_id(made) if document.externalId else made
