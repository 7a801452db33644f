"""String literals of a query as the text that they stand for, and as patterns of LIKE."""

from __future__ import annotations

import re

from engine.sandbox.soql.errors import SoqlError, malformed
from engine.sandbox.soql.tree import Literal

__all__ = ["pattern_of", "text_of"]

#: Salesforce's own bound of one string in a WHERE clause.
_LONGEST = 4_000
_PART = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)
# As the SOQL reference lists them: letters count in both cases.
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "_": "_",
    "%": "%",
}


def text_of(literal: Literal, query: str) -> str:
    """The text of a string literal. Raises `SoqlError` for an unknown escape."""
    return "".join(text for text, _ in _parts(literal, query))


def pattern_of(literal: Literal, query: str) -> str:
    """A LIKE pattern in SQL's words, to be used with ESCAPE '\\'. Raises `SoqlError`."""
    return "".join(
        f"\\{text}" if text == "\\" or (escaped and text in "%_") else text
        for text, escaped in _parts(literal, query)
    )


def _parts(literal: Literal, query: str) -> list[tuple[str, bool]]:
    """Each character, and whether it was written with a backslash."""
    inner = literal.text[1:-1]
    if len(inner) > _LONGEST:
        message = f"string literals in a WHERE clause cannot be longer than {_LONGEST} characters"
        raise malformed(message, query, literal.at)
    if "\\" not in inner:
        return [(character, False) for character in inner]
    found = []
    for part in _PART.findall(inner):
        if part[0] != "\\":
            found.append((part, False))
        elif len(part) == 6:
            found.append((_character(part, literal, query), True))
        elif (known := _ESCAPES.get(part[1].lower())) is not None:
            found.append((known, True))
        else:
            raise _illegal(part, literal, query)
    return found


def _character(part: str, literal: Literal, query: str) -> str:
    code = int(part.removeprefix("\\u"), base=16)
    if 0xD800 <= code < 0xE000:  # half of a pair is no text
        raise _illegal(part, literal, query)
    return chr(code)


def _illegal(part: str, literal: Literal, query: str) -> SoqlError:
    message = (
        f"Invalid string literal {literal.text[:80]}. Illegal character sequence '{part}' in string"
        " literal."
    )
    return malformed(message, query, literal.at)
