"""The vendors' words for what they refuse."""

from __future__ import annotations

from dsl.schema import Field, ObjectType, Side
from engine.ports import StoreError

__all__ = ["Problem", "Refused", "problem_with"]

_SHOWN = 80

_SALESFORCE = {
    "unknown": ("INVALID_FIELD", "No such column '{name}' on sobject of type {type}"),
    "read-only": (
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "Unable to create/update fields: {name}: the field is read-only",
    ),
    "required": ("REQUIRED_FIELD_MISSING", "Required fields are missing: [{name}]"),
    "picklist": (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "{label}: bad value for restricted picklist field: {value}",
    ),
    "length": ("STRING_TOO_LONG", "{label}: data value too large: {value} (max length={length})"),
    "email": ("INVALID_EMAIL_ADDRESS", "{label}: invalid email address: {value}"),
    "type": ("INVALID_TYPE_ON_FIELD_IN_RECORD", "{label}: {value} is not {other}"),
    "range": ("NUMBER_OUTSIDE_VALID_RANGE", "{label}: value outside of valid range: {value}"),
    "reference": ("INVALID_CROSS_REFERENCE_KEY", "{label}: there is no {other} of id {value}"),
    "inactive": (
        "INACTIVE_OWNER_OR_USER",
        "operation performed with inactive user [{value}] as owner of {type}",
    ),
    "taken": (
        "DUPLICATE_VALUE",
        "duplicate value found: {name} duplicates value on record with id: {other}",
    ),
    "converted": ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot update a converted lead"),
    "deleted": ("ENTITY_IS_DELETED", "entity is deleted"),
    "gone": ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id: no {type} {value}"),
}
_OUTREACH = {
    "unknown": ("validationError", "'{name}' is not an attribute or relationship of {type}"),
    "read-only": ("validationError", "'{name}' is read-only"),
    "required": ("validationError", "'{name}' can't be blank"),
    "picklist": ("validationError", "'{name}' cannot be {value}"),
    "length": ("validationError", "'{name}' is longer than {length} characters: {value}"),
    "email": ("validationError", "'{name}' holds {value}, which is no e-mail address"),
    "type": ("validationError", "'{name}' is {value}, which is not {other}"),
    "range": ("validationError", "'{name}' is {value}, which is out of range"),
    "reference": ("validationError", "'{name}': there is no {other} of id {value}"),
    "taken": ("validationError", "'{name}': {value} has already been taken by {type} {other}"),
    "gone": ("resourceNotFound", "there is no {type} {value}"),
}


class Problem(Exception):
    """One record's write is refused; the others of its call go on."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...], gone: bool) -> None:
        super().__init__(message)
        self.code, self.message, self.fields, self.gone = code, message, fields, gone


class Refused(StoreError):
    """The org refused a user's act; `code` is the vendor's error code, `message` its sentence."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.fields = code, message, fields


def problem_with(
    type_: ObjectType,
    kind: str,
    field: Field | str | None = None,
    value: object = None,
    other: object = "",
) -> Problem:
    """The vendor's refusal for a kind of problem (`unknown`, `length`, …) with a field's value.

    `other` is what was wanted instead, or whose the value is.
    """
    code, words = (_SALESFORCE if type_.side is Side.SALESFORCE else _OUTREACH)[kind]
    name = field.name if isinstance(field, Field) else field or ""
    message = words.format(
        name=name,
        label=field.label if isinstance(field, Field) else name,
        type=type_.name,
        value=_shown(value),
        length=field.length if isinstance(field, Field) else 0,
        other=other,
    )
    gone = kind in ("gone", "deleted")
    return Problem(code, message, tuple(name.split(", ")) if name else (), gone)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
