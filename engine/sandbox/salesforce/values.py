"""A record's JSON as the values that the org is written with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsl.schema import Field, Kind, ObjectType
from engine.sandbox.salesforce.box import Box
from engine.sandbox.salesforce.errors import ApiError
from engine.sandbox.salesforce.keys import found_by, key_field
from engine.sandbox.salesforce.visible import no_column
from engine.stores.local.ids import checked_id, type_of
from engine.stores.local.stamps import instant

__all__ = ["checked_record_id", "values_of"]

_LARGEST_INT = (1 << 31) - 1
_PAST_NUMBERS = 10**18  # a number has 18 digits at most
_JSON_WORDS = {bool: "VALUE_BOOLEAN", int: "VALUE_NUMBER", float: "VALUE_NUMBER"}
_JSON_WORDS |= {dict: "START_OBJECT", list: "START_ARRAY", str: "VALUE_STRING"}


def values_of(
    box: Box, type_: ObjectType, payload: Mapping[str, Any], creating: bool
) -> dict[str, Any]:
    """The values by API name; `attributes` are left out. Raises `ApiError`.

    A reference may be given by its relationship and an external id of the other record:
    `{"Account": {"Code__c": "A1"}}`.
    """
    values: dict[str, Any] = {}
    fields = box.visible.fields(type_.name)
    for name, value in payload.items():
        if name == "attributes":
            continue
        field = fields.get(name) or fields.get(name.casefold())
        if field is None:
            through = _through(type_, name)
            if through is None or not isinstance(value, dict | None):
                raise no_column(type_.name, name)
            values[through.name] = _referred(box, through, value)
        elif field.kind is Kind.ID:
            raise _own_id(creating)
        else:
            values[field.name] = _value(field, value)
    return values


def _own_id(creating: bool) -> ApiError:
    if creating:
        message = "cannot specify Id in an insert call"
        return ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, ("Id",))
    message = "The Id field should not be specified in the sobject data."
    return ApiError(400, "INVALID_FIELD", message)


def _through(type_: ObjectType, word: str) -> Field | None:
    folded = word.casefold()
    fields = type_.fields.values()
    return next((f for f in fields if f.relationship and f.relationship.casefold() == folded), None)


def _referred(box: Box, through: Field, given: dict[str, Any] | None) -> str | None:
    """The record that an external id names: `{"Code__c": "A1"}`, with a type where several fit."""
    if given is None:
        return None
    head = given.get("attributes") or {}
    type_ = box.visible.find(str(head.get("type", through.references[0])))
    keys = [k for k in given if k != "attributes"]
    if type_ is None or type_.name not in through.references or len(keys) != 1:
        message = f"{through.relationship}: name one external id of {through.references[0]}"
        raise ApiError(400, "INVALID_FIELD", message)
    found = found_by(box, type_, key_field(box, type_, keys[0]), given[keys[0]])
    if len(found) != 1:
        message = f"Foreign key external ID: {given[keys[0]]} not found for field {keys[0]}"
        message += f" in entity {type_.name}"
        raise ApiError(400, "INVALID_FIELD", message)
    return found[0]


def _value(field: Field, value: Any) -> Any:
    """The value as JSON's reader at Salesforce takes it: text for a number, say, if it is one."""
    if value is None:
        return None
    match field.kind:
        case Kind.NUMBER:
            return _number(field, value)
        case Kind.BOOLEAN if isinstance(value, str):
            known = {"true": True, "false": False}.get(value.lower())
            return _unreadable(field, value) if known is None else known
        case Kind.DATE if value != "":
            if not isinstance(value, str) or len(value) < 10:
                return _unreadable(field, value)
            return value[:10] if instant(value) else value
        case Kind.DATETIME if value != "":
            if not isinstance(value, str) or instant(value) is None:
                return _unreadable(field, value)
        case Kind.TEXT if not isinstance(value, str):
            return _unreadable(field, value)
        case Kind.REFERENCE:
            return _reference(field, value)
    return value


def _number(field: Field, value: Any) -> Any:
    if value == "":
        return None
    number = value
    if isinstance(value, str):
        number = next((n for n in map(_read, (int, float), (value, value)) if n is not None), None)
        if number is None:
            return _unreadable(field, value)
    if isinstance(number, int | float) and not isinstance(number, bool):
        _see_range(field, number)
    return number


def _read(kind: type[int] | type[float], text: str) -> float | None:
    try:
        return kind(text)
    except ValueError:
        return None


def _see_range(field: Field, number: float) -> None:
    if field.vendor_type == "int" and abs(number) > _LARGEST_INT:
        message = f"Numeric value ({number}) out of range of int at [line:1, column:1]"
        raise ApiError(400, "JSON_PARSER_ERROR", message)
    if not abs(number) < _PAST_NUMBERS:  # what is no number is not less
        message = f"{field.label}: value outside of valid range on numeric field: {number}"
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", message, (field.name,))


def _unreadable(field: Field, value: Any) -> Any:
    kind = "string" if field.kind is Kind.TEXT else field.vendor_type
    word = _JSON_WORDS.get(type(value), "VALUE_STRING")
    shown = str(value)[:80]
    raise ApiError(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {kind} from {word} value {shown} or request may be missing"
        " a required field at [line:1, column:1]",
    )


def _reference(field: Field, value: Any) -> Any:
    if value == "":
        return None
    full = checked_id(value)
    wrong = f"{field.label}: id value of incorrect type: {value}"
    if full is None:
        raise ApiError(400, "MALFORMED_ID", wrong, (field.name,))
    other = type_of(full)
    if other is not None and other not in field.references:
        raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", wrong, (field.name,))
    return full


def checked_record_id(type_name: str, given: Any) -> str:
    """A record's id in its 18 characters. Raises `ApiError` for what can be none of its type."""
    full = checked_id(given)
    if full is None:
        raise ApiError(400, "MALFORMED_ID", f"malformed id {str(given)[:80]}")
    other = type_of(full)
    if other is not None and other != type_name:
        message = f"{type_name} ID: id value of incorrect type: {given}"
        raise ApiError(400, "MALFORMED_ID", message)
    return full
