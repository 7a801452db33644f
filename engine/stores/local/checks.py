"""What a field takes: one function for each field, which gives the value as it is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NoReturn

import msgspec

from dsl.schema import Field, Kind, ObjectType, Side, shipped_schema
from engine.stores.local.custom import extended
from engine.stores.local.ids import checked_id
from engine.stores.local.refusals import problem_with
from engine.stores.local.stamps import as_vendor, instant

__all__ = ["Check", "Rules", "rules_for"]

#: Gives a field's value as it is kept, or raises `Problem`.
Check = Callable[[Any], Any]

# Wider than the standards: `&` in a domain is in the vendors' own sample data.
_EMAIL = re.compile(r"[^\s@,;<>()\[\]\"]+@[^\s@,;<>()\[\]\".]+(?:\.[^\s@,;<>()\[\]\".]+)+")
_DATE_LENGTH = 10
_WHOLE = 1 << 63
_SALESFORCE_INT = 1 << 31
#: What is filled in where a create leaves it out, and cannot be blanked, by type.
_DEFAULTS: Mapping[str, dict[str, Any]] = {
    "Lead": {"Status": "Open - Not Contacted"},
    "Task": {"Status": "Not Started", "Priority": "Normal"},
    "User": {"IsActive": True},
}


@dataclass(frozen=True)
class Rules:
    """How a type is written: a check for each field that may be, and what a create needs.

    `references` are the types that each reference may point into, and whether the org has them
    all. `defaults` are what a create without a value gets.
    """

    type: ObjectType
    create: Mapping[str, Check]
    update: Mapping[str, Check]
    required: tuple[str, ...]
    references: Mapping[str, tuple[tuple[str, ...], bool]]
    defaults: Mapping[str, Any]


@cache
def rules_for(side: Side, type_: str, custom: tuple[Field, ...] = ()) -> Rules:
    """The rules of a shipped type, which must be one, with these custom fields."""
    schema = shipped_schema()
    found = extended(schema.types[side, type_], custom)
    create, update, references = {}, {}, {}
    defaults = _DEFAULTS.get(type_, {}) if side is Side.SALESFORCE else {}
    for field in found.fields.values():
        check = _check(found, field)
        if field.createable:
            create[field.name] = check
        if field.updateable:
            kept = field.required or field.name in defaults or field.name == "OwnerId"
            update[field.name] = _filled(found, field, check) if kept else check
        refers = field.kind is Kind.REFERENCE or field.many
        if refers and field.createable | field.updateable:
            known = [schema.get(side, name) is not None for name in field.references]
            references[field.name] = (field.references, bool(known) and all(known))
    required = tuple(f.name for f in found.fields.values() if f.required)
    return Rules(found, create, update, required, references, defaults)


def _check(type_: ObjectType, field: Field) -> Check:
    if type_.side is Side.SALESFORCE and field.kind is Kind.REFERENCE:
        return _salesforce_reference(type_, field)
    match field.kind:
        case Kind.BOOLEAN:
            return _boolean(type_, field)
        case Kind.NUMBER:
            return _number(type_, field)
        case Kind.DATE:
            return _date(type_, field)
        case Kind.DATETIME:
            return _datetime(type_, field)
        case Kind.LIST:
            return _many(type_, field) if field.many else _list(type_, field)
        case Kind.OBJECT:
            return _object(type_, field)
        case Kind.REFERENCE:
            return _outreach_reference(type_, field)
        case _:
            return _salesforce_text(type_, field) if _left(type_) else _text(type_, field)


def _left(type_: ObjectType) -> bool:
    return type_.side is Side.SALESFORCE


def _wrong(
    type_: ObjectType, field: Field, value: object, wanted: str, kind: str = "type"
) -> NoReturn:
    raise problem_with(type_, kind, field, value, wanted)


def _filled(type_: ObjectType, field: Field, check: Check) -> Check:
    """A check that refuses to blank what must be there."""

    def filled(value: Any) -> Any:
        kept = check(value)
        if kept is None or kept == "":
            _wrong(type_, field, value, "", "required")
        return kept

    return filled


def _encodable(type_: ObjectType, field: Field, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        _wrong(type_, field, ascii(value), "text in Unicode")


def _text(type_: ObjectType, field: Field) -> Check:
    length, email = field.length or 1 << 30, field.is_email

    def text(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            _wrong(type_, field, value, "text")
        if not value.isascii():
            _encodable(type_, field, value)
        if len(value) > length:
            _wrong(type_, field, value, "", "length")
        if email and value and not _EMAIL.fullmatch(value):
            _wrong(type_, field, value, "", "email")
        return value

    return text


def _salesforce_text(type_: ObjectType, field: Field) -> Check:
    """Text as Salesforce keeps it: trimmed, and null where nothing is left."""
    plain = _text(type_, field)
    listed = frozenset(field.picklist) if field.restricted else None

    def text(value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip() or None
        value = plain(value)
        if value is not None and listed and value not in listed:
            _wrong(type_, field, value, "", "picklist")
        return value

    return text


def _boolean(type_: ObjectType, field: Field) -> Check:
    def boolean(value: Any) -> Any:
        if value is True or value is False:
            return value
        if value is None and not _left(type_):
            return None
        return _wrong(type_, field, value, "true or false")

    return boolean


def _number(type_: ObjectType, field: Field) -> Check:
    whole = field.vendor_type in ("int", "integer")
    bound = _SALESFORCE_INT if field.vendor_type == "int" else _WHOLE

    def number(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            _wrong(type_, field, value, "a number")
        if isinstance(value, float):
            if not math.isfinite(value):
                _wrong(type_, field, value, "a number")
            if whole:
                if not value.is_integer():
                    _wrong(type_, field, value, "a whole number")
                value = int(value)
        if isinstance(value, int) and not -bound <= value < bound:
            _wrong(type_, field, value, "", "range")
        return value

    return number


def _date(type_: ObjectType, field: Field) -> Check:
    def checked(value: Any) -> Any:
        if value is None or (value == "" and _left(type_)):
            return None
        try:
            if len(value) == _DATE_LENGTH and value[4] == "-":
                return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            pass
        return _wrong(type_, field, value, "a date as YYYY-MM-DD")

    return checked


def _datetime(type_: ObjectType, field: Field) -> Check:
    def checked(value: Any) -> Any:
        if value is None or (value == "" and _left(type_)):
            return None
        moment = instant(value) if isinstance(value, str) else None
        if moment is None:
            _wrong(type_, field, value, "a date and time with a zone, as 2024-05-17T09:30:00Z")
        return as_vendor(type_.side, moment)

    return checked


def _salesforce_reference(type_: ObjectType, field: Field) -> Check:
    def reference(value: Any) -> Any:
        if value is None or value == "":
            return None
        full = checked_id(value)
        if full is None:
            _wrong(type_, field, value, "record", "reference")
        return full

    return reference


def _outreach_reference(type_: ObjectType, field: Field) -> Check:
    def reference(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _WHOLE:
            _wrong(type_, field, value, "an id, which is a whole number")
        return value

    return reference


def _list(type_: ObjectType, field: Field) -> Check:
    email = field.is_email

    def elements(value: Any) -> Any:
        if value is None:
            return "[]"
        if not isinstance(value, list | tuple):
            _wrong(type_, field, value, "a list")
        for element in value:
            if email and not (isinstance(element, str) and _EMAIL.fullmatch(element)):
                _wrong(type_, field, element, "", "email")
            if isinstance(element, str) and not element.isascii():
                _encodable(type_, field, element)
            if isinstance(element, list | tuple | dict):
                _wrong(type_, field, value, "a list of plain values")
        return msgspec.json.encode(value).decode()

    return elements


def _object(type_: ObjectType, field: Field) -> Check:
    def checked(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, list | dict):
            _wrong(type_, field, value, "a JSON object")
        return msgspec.json.encode(value).decode()

    return checked


def _many(type_: ObjectType, field: Field) -> Check:
    each = _outreach_reference(type_, field)

    def several(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            _wrong(type_, field, value, "a list of ids")
        return msgspec.json.encode(list(dict.fromkeys(map(each, value)))).decode()

    return several
