"""Salesforce ids: their case checksum, and new ones that count up."""

from __future__ import annotations

from dsl.ids import ID, checksum, full_id

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
_COUNTER = 9
_TYPES = {prefix: name for name, prefix in PREFIXES.items() if prefix != "01J"}


def checked_id(given: object) -> str | None:
    """An id in its 18 characters; None if it is none, or its checksum is wrong."""
    if not isinstance(given, str) or not ID.fullmatch(given):
        return None
    full = given[:15] + checksum(given[:15])
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
