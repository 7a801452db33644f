"""What a local org refuses, one field at a time, in the vendors' own codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from typing import Any, NamedTuple

from dsl.schema import Field, Kind, ObjectType, Side
from dsl.values import instant, is_empty
from engine.stores.embedded.ids import complete

__all__ = ["Problem", "checker"]

# Salesforce stores addresses such as `b.levy@expressl&t.net`; so must both orgs.
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\".]+(\.[^@\s,;<>\".]+)+")

Problem = NamedTuple("Problem", [("code", str), ("message", str), ("field", str)])
Check = Callable[[Any], Any]


class _Codes(NamedTuple):
    """What a vendor calls each refusal."""

    unknown: str
    read_only: str
    required: str
    picklist: str
    length: str
    email: str
    type: str


_CODES = {
    Side.SALESFORCE: _Codes(
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "REQUIRED_FIELD_MISSING",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "STRING_TOO_LONG",
        "INVALID_EMAIL_ADDRESS",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
    ),
    Side.OUTREACH: _Codes(*["validationError"] * 7),
}


def checker(
    described: ObjectType, name: str, creating: bool
) -> tuple[Check | None, Problem | None]:
    """How a value for a field is brought into its stored form, or why the field takes none.

    The check gives the value to store, or a `Problem`.
    """
    codes = _CODES[described.side]
    known = described.fields.get(name)
    if known is None:
        if described.side is Side.SALESFORCE:
            text = f"No such column '{name}' on sobject of type {described.name}"
        else:
            text = f"'{name}' is not an attribute or relationship of {described.name}"
        return None, Problem(codes.unknown, text, name)
    if not (known.createable if creating else known.updateable) or known.many:
        text = (
            f"Unable to create/update fields: {name}. Please check the security settings of this"
            " field and verify that it is read/write for your profile or permission set."
            if described.side is Side.SALESFORCE
            else f"'{name}' is read-only"
        )
        return None, Problem(codes.read_only, text, name)
    return _check_for(described.side, known, codes), None


def _check_for(side: Side, known: Field, codes: _Codes) -> Check:
    convert = _CONVERT.get(known.kind, _text)
    trims = side is Side.SALESFORCE
    name, length = known.name, known.length
    limited = known.kind is Kind.TEXT and length > 0
    restricted = frozenset(known.picklist) if known.restricted else None
    required, is_email = known.required, known.is_email

    def check(value: Any) -> Any:
        if trims and isinstance(value, str):
            value = value.strip()
        if is_empty(value) and value != []:
            if required:
                return Problem(codes.required, f"Required fields are missing: [{name}]", name)
            return None
        stored = convert(value)
        if stored is _WRONG:
            return Problem(codes.type, f"{name}: {value!r} is not a value of its type", name)
        if limited and len(stored) > length:
            text = f"{name}: data value too large (max length={length})"
            return Problem(codes.length, text, name)
        if is_email and not _emails_are_valid(stored):
            return Problem(codes.email, f"{name}: invalid email address: {value}", name)
        if restricted is not None and stored not in restricted:
            text = f"{name}: bad value for restricted picklist field: {value}"
            return Problem(codes.picklist, text, name)
        return stored

    return check


def _emails_are_valid(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(v, str) and _EMAIL.fullmatch(v.strip()) for v in values)


_WRONG = object()


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else _WRONG


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else _WRONG


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else _WRONG


def _date(value: Any) -> Any:
    moment = instant(value) if isinstance(value, str) and len(value) == len("2026-11-23") else None
    return value if moment else _WRONG


def _datetime(value: Any) -> Any:
    moment = instant(value) if isinstance(value, str) else None
    if moment is None:
        return _WRONG
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _list(value: Any) -> Any:
    return value if isinstance(value, list) else _WRONG


def _reference(value: Any) -> Any:
    if isinstance(value, str):
        return complete(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else _WRONG


_CONVERT: dict[Kind, Check] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.LIST: _list,
    Kind.REFERENCE: _reference,
    Kind.ID: _reference,
    Kind.OBJECT: lambda value: value,
}
