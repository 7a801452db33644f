"""A query that is refused, in Salesforce's own words and with its pointer into the text."""

from __future__ import annotations

__all__ = ["SoqlError", "malformed", "pointed"]

_SHOWN = 40  # characters of the query on each side of what is wrong


class SoqlError(Exception):
    """A refusal: `code` is the vendor's (`MALFORMED_QUERY`, `INVALID_FIELD`), answered as 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def pointed(code: str, message: str, text: str, at: int) -> SoqlError:
    """A refusal that shows the place, as in `SELECT Foo FROM Lead`, a caret and `ERROR at Row…`."""
    at = min(at, len(text))
    before = text[:at]
    row = before.count("\n") + 1
    column = at - (before.rfind("\n") + 1) + 1
    first = max(before.rfind("\n") + 1, at - _SHOWN)
    end = text.find("\n", at)
    last = min(len(text) if end < 0 else end, at + _SHOWN)
    caret = " " * (at - first) + "^"
    where = f"\n{text[first:last]}\n{caret}\nERROR at Row:{row}:Column:{column}\n"
    return SoqlError(code, where + message)


def malformed(message: str, text: str, at: int) -> SoqlError:
    """A text that is no query, with the place."""
    return pointed("MALFORMED_QUERY", message, text, at)
