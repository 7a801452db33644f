"""Salesforce ids: made, completed from 15 to 18 characters, and checked."""

from __future__ import annotations

import string
from functools import lru_cache

__all__ = ["PREFIXES", "complete", "is_id", "nth_id"]

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECK = string.ascii_uppercase + "012345"
_SHORT, _LONG = 15, 18

#: The first three characters of an id, which tell its type.
PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "UserRole": "00E",
    "Group": "00G",
    "OpportunityContactRole": "00K",
    "Lead": "00Q",
    "Task": "00T",
    "Event": "00U",
    "LeadStatus": "01J",
    "OpportunityStage": "01J",
}


def _suffix(short: str) -> str:
    """The three characters that tell which letters of a 15-character id are capitals."""
    return "".join(
        _CHECK[sum(1 << n for n, c in enumerate(short[at : at + 5]) if c.isupper())]
        for at in (0, 5, 10)
    )


def is_id(text: object) -> bool:
    """Whether a value looks like a Salesforce id of 15 or 18 characters."""
    return isinstance(text, str) and len(text) in (_SHORT, _LONG) and text.isalnum()


@lru_cache(maxsize=4096)
def complete(text: str) -> str:
    """The 18-character form of an id. Case is never folded; what is no id is given back as it is."""
    if len(text) != _SHORT or not text.isalnum():
        return text
    return text + _suffix(text)


def nth_id(type_name: str, number: int) -> str:
    """The `number`th id that this org gives to a record of a type, in 18 characters."""
    digits = ""
    while number:
        number, rest = divmod(number, len(_DIGITS))
        digits = _DIGITS[rest] + digits
    prefix = PREFIXES.get(type_name, "a00")
    return complete(prefix + "LC" + digits.rjust(_SHORT - 5, "0"))
