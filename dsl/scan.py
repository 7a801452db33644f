"""Looks at a rule file's text without the grammar: comments, strings, braces, stray characters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["DEEPEST", "ITEM", "Scan", "Word", "scan", "too_deep", "words_of"]

# How deep conditions and calls may nest: what reads them goes down one call a level.
DEEPEST = 64

# A line, but the first, that starts a top-level item; none of these can stand inside another item,
# so what is wrong in one cannot hide, or cause, anything in the next. To look for the line end
# itself, not for `^`, is several times as fast.
ITEM = re.compile(
    r"""\n[ \t]*(?:crosswalk[ \t]+[0-9] | (?:limits|guard)\s*\{ | test[ \t]*"
        | (?:stages|values|fields|activities)[ \t]+\w+\s*\{ | sync[ \t]+\w+\s*<->)""",
    re.VERBOSE,
)

# As in the grammar: a string (perhaps without its end), a comment, characters that start no token
# (the `+` of a date-time's zone is inside one).
_PIECE = re.compile(
    r'"(?:[^"\\\n]|\\[^\n])*("?)|#[^\n]*'
    r'|(?:(?!(?<=[0-9])\+[0-9]{2}:)[^\s\w"#{}()\[\],.:=!<>%\-]|(?![0-9])\d)+'
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


_NESTING = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|#[^\n]*|[(){}]|\bnot\b')


def too_deep(text: str) -> int | None:
    """Where something is nested deeper than any rule needs."""
    if text.count("(") + text.count("{") + text.count("not") <= DEEPEST:
        return None
    depth = nots = end = 0
    for found in _NESTING.finditer(text):
        piece = found[0]
        if piece == "not":
            nots = nots + 1 if not text[end : found.start()].strip() else 1
        elif len(piece) == 1 and piece != "#":
            depth = max(depth + (1 if piece in "({" else -1), 0)
            nots = nots if piece == "(" else 0
        end = found.end()
        if depth + nots > DEEPEST:
            return found.start()
    return None


def words_of(text: str, begin: int, end: int) -> list[Word]:
    """The tokens of a text whose comments are blanked."""
    words: list[Word] = []
    last, fresh = begin, True
    for found in _WORD.finditer(text, begin, end):
        start, stop = found.span()
        words.append(Word(start, stop, found[0], fresh or text.find("\n", last, start) >= 0))
        last, fresh = stop, False
    return words
