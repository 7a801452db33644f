"""A rule file down to its words, each in canonical spelling and with the comments around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple
from unicodedata import category, combining, east_asian_width

from lark import Lark, Token

from dsl.build import UNIT_SECONDS
from dsl.grammar import load_parser
from dsl.scan import scan

__all__ = ["Node", "Note", "Word", "cells", "read_words"]


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on a line of its own; `blank`: a blank line stands before it."""

    text: str
    blank: bool


@dataclass(slots=True, eq=False)
class Word:
    """A token: `before` are the comments on lines of their own that lead up to it, `after` is the
    one that ends its line; `blank`: a blank line stands right before it."""

    kind: str
    text: str
    start: int
    end: int
    line: int = 0
    before: tuple[Note, ...] = ()
    after: str = ""
    blank: bool = False


@dataclass(eq=False)
class Node:
    """One reduction of the grammar, with all its words: here parentheses are not lost."""

    rule: str
    parts: tuple[Node | Word, ...] = field(repr=False)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        found: list[Word] = []
        for part in self.parts:
            found += (part,) if isinstance(part, Word) else part.words
        return tuple(found)

    @cached_property
    def braces(self) -> tuple[int, Word, Word] | None:
        """Where among the parts a `{` stands, it, and the `}` that ends them."""
        last = self.parts[-1] if self.parts else None
        for index, part in enumerate(self.parts):
            if isinstance(part, Word) and part.kind == "LBRACE" and isinstance(last, Word):
                return index, part, last
        return None

    @cached_property
    def is_spread(self) -> bool:
        """Whether braces in it were opened on one line and closed on another."""
        if self.braces is not None:
            _, opening, closing = self.braces
            if opening.line != closing.line:
                return True
        return any(isinstance(part, Node) and part.is_spread for part in self.parts)


class _Comment(NamedTuple):
    start: int
    end: int
    text: str


def read_words(text: str) -> tuple[Node, Word]:
    """The words of a text without syntax errors, nested, and one more for the end of the file."""
    words: list[Word] = []
    module = _node(_parser().parse(text), words)
    end = Word("END", "", len(text), len(text))
    comments = [_Comment(start, stop, text[start:stop]) for start, stop in scan(text).comments]
    _place(text, sorted([*words, end, *comments], key=_start))
    return module, end


@cache
def _parser() -> Lark:
    return load_parser()


def _node(tree: Any, words: list[Word]) -> Node:
    parts: list[Node | Word] = []
    for child in tree.children:
        if isinstance(child, Token):
            words.append(_word(child, words))
            parts.append(words[-1])
        else:
            parts.append(_node(child, words))
    return Node(str(tree.data), tuple(parts))


def _start(piece: Word | _Comment) -> tuple[int, int]:
    return piece.start, isinstance(piece, Word) and piece.kind == "END"


def _place(text: str, pieces: list[Word | _Comment]) -> None:
    """Gives each word its line and its comments."""
    at, line = 0, 0
    last: Word | None = None
    notes: list[Note] = []
    for piece in pieces:
        start, end = piece.start, piece.end
        newlines = text.count("\n", at, start)
        line += newlines
        if isinstance(piece, Word):
            piece.line, piece.blank, piece.before = line, newlines > 1, tuple(notes)
            notes.clear()
            if piece.kind == "LBRACE" and last is not None and not piece.before:
                # The brace goes up beside its header, and the comment there behind the brace.
                piece.after, last.after = last.after, ""
            last = piece
        elif last is not None and not newlines and not last.after:
            last.after = piece.text.rstrip()
        else:
            notes.append(Note(piece.text.rstrip(), newlines > 1))
        at = end


# -- spelling -----------------------------------------------------------------------------------

_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]+)\}|(.))")
_NAMED = {"n": "\n", "t": "\t"}
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
# The space, and the joiners that emoji and some scripts are written with.
_RAW = {" ", "\u200c", "\u200d"}


def _word(token: Token, before: Sequence[Word]) -> Word:
    text = str(token)
    if token.type == "STRING":
        text = "".join(_quoted(text[1:-1]))
    elif text in UNIT_SECONDS and before and before[-1].kind == "NUMBER":
        one = before[-1].text.lstrip("0") == "1"
        text = text.rstrip("s") + ("" if one else "s")
    return Word(token.type, text, token.start_pos or 0, token.end_pos or 0)


def _quoted(inside: str) -> Iterator[str]:
    """A string with no escape but what needs one: quotes, and what cannot be seen."""
    yield '"'
    for character in _ESCAPE.sub(_unescaped, inside):
        if character in _SHORT:
            yield _SHORT[character]
        elif character not in _RAW and category(character) in _INVISIBLE:
            yield f"\\u{{{ord(character):X}}}"
        else:
            yield character
    yield '"'


def _unescaped(found: re.Match[str]) -> str:
    code, simple = found.groups()
    return chr(int(code, 16)) if code else _NAMED.get(simple, simple)


def cells(text: str) -> int:
    """How many columns a text takes up."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
