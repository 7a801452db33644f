"""Salesforce ids: their case checksum, and new ones that count up."""

from __future__ import annotations

import re

__all__ = ["INSTANCE", "PREFIXES", "checked_id", "full_id", "minted_id", "minted_number", "type_of"]

#: The key prefix that the ids of a type start with.
PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "Event": "00U",
    "Group": "00G",
    "Lead": "00Q",
    "LeadStatus": "01J",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "OpportunityStage": "01J",
    "Task": "00T",
    "User": "005",
    "UserRole": "00E",
}

#: The characters after the prefix, by which an org's own ids differ from those loaded into it.
INSTANCE = "Cw0"

# In the order of ASCII, so that later ids sort behind earlier ones.
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)
_COUNTER = 9
_TYPES = {prefix: name for name, prefix in PREFIXES.items() if prefix != "01J"}


def _checksum(short: str) -> str:
    letters = ""
    for start in (0, 5, 10):
        capitals = (c.isupper() for c in short[start : start + 5])
        letters += _CHECKSUM[sum(1 << at for at, capital in enumerate(capitals) if capital)]
    return letters


def full_id(given: str) -> str:
    """The 18 characters of an id of 15 or 18; what is no id comes back as it is."""
    if len(given) == 15 and _ID.fullmatch(given):
        return given + _checksum(given)
    return given


def checked_id(given: object) -> str | None:
    """An id in its 18 characters; None if it is none, or its checksum is wrong."""
    if not isinstance(given, str) or not _ID.fullmatch(given):
        return None
    full = given[:15] + _checksum(given[:15])
    return full if len(given) == 15 or given == full else None


def type_of(record: str) -> str | None:
    """The type whose key prefix an id has; None if the prefix is none of ours."""
    return _TYPES.get(record[:3])


def minted_id(type_name: str, number: int) -> str:
    """The org's own id number `number` of a type, in 18 characters."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return full_id(PREFIXES[type_name] + INSTANCE + digits.rjust(_COUNTER, "0"))


def minted_number(record: str) -> int:
    """The number that `minted_id` made an id of; 0 for one that came from elsewhere."""
    if record[3:6] != INSTANCE:
        return 0
    number = 0
    for digit in record[6:15]:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number
