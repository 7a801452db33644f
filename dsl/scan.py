"""Looks at a rule file's text without the grammar: comments, strings, braces, stray characters."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["ITEM", "Scan", "Word", "scan", "words_of"]

# A line that starts a top-level item; none of these can stand inside another item, so what is
# wrong in one cannot hide, or cause, anything in the next.
ITEM = re.compile(
    r"""^[ \t]*(?:crosswalk[ \t]+[0-9] | (?:limits|guard)\s*\{ | test[ \t]*"
        | (?:stages|values|fields|activities)[ \t]+\w+\s*\{ | sync[ \t]+\w+\s*<->)""",
    re.MULTILINE | re.VERBOSE,
)

# As in the grammar: a string (perhaps without its end), a comment, characters that start no token.
_PIECE = re.compile(
    r'"(?:[^"\\\n]|\\[^\n])*("?)|#[^\n]*|(?:[^\s\w"#{}()\[\],.:=!<>%\-]|(?![0-9])\d)+'
)
_TAIL = re.compile(r"[\s{}]*\Z")

_WORD = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|<->|->|<-|[<>!]=|\w+|\S')


class Word(NamedTuple):
    """A token as far as recovery needs one. `fresh` is the first of its line."""

    start: int
    end: int
    text: str
    fresh: bool


@dataclass
class Scan:
    """What stands in a text: comments, stray characters, strings that never end."""

    comments: list[tuple[int, int]] = field(default_factory=list)
    junk: list[tuple[int, int]] = field(default_factory=list)
    unterminated: list[tuple[int, int]] = field(default_factory=list)


def scan(text: str) -> Scan:
    found = Scan()
    for piece in _PIECE.finditer(text):
        start, end = piece.span()
        first = text[start]
        if first == "#":
            found.comments.append((start, end))
        elif first != '"':
            found.junk.append((start, end))
        elif not piece[1]:
            # Braces at the end of the line are more likely structure than text.
            tail = _TAIL.search(text, start + 1, end)
            stop = tail.start() if tail else end
            found.unterminated.append((start, max(stop, start + 1)))
    return found


def words_of(text: str, begin: int, end: int) -> list[Word]:
    """The tokens of a text whose comments are blanked."""
    return list(_words(text, begin, end))


def _words(text: str, begin: int, end: int) -> Iterator[Word]:
    newlines = list(_newlines(text, begin, end))
    last = -1
    for found in _WORD.finditer(text, begin, end):
        line = bisect_left(newlines, found.start())
        yield Word(found.start(), found.end(), found[0], line != last)
        last = line


def _newlines(text: str, begin: int, end: int) -> Iterator[int]:
    at = text.find("\n", begin, end)
    while at >= 0:
        yield at
        at = text.find("\n", at + 1, end)
