"""Salesforce ids in their two forms: 15 characters with their case, 18 that end in its checksum."""

from __future__ import annotations

import re

__all__ = ["ID", "checksum", "full_id"]

_SHORT = 15
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?", re.ASCII)


def checksum(short: str) -> str:
    """The three characters that tell the case of an id's first 15."""
    letters = ""
    for start in (0, 5, 10):
        capitals = (c.isupper() for c in short[start : start + 5])
        letters += _CHECKSUM[sum(1 << at for at, capital in enumerate(capitals) if capital)]
    return letters


def full_id(given: str) -> str:
    """The 18 characters of an id of 15 or 18; what is no id comes back as it is."""
    if len(given) == _SHORT and ID.fullmatch(given):
        return given + checksum(given)
    return given
