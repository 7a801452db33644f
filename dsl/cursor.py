"""What stands, or could stand, at a place of a rule file that may be half typed.

The text up to the place is fed to the parser; its own stack then says what the place is in, and
what it takes: so completion knows no more and no less than the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from threading import Lock
from typing import Any

from dsl.parser import chunks
from dsl.places import Place, place_of_name, place_of_text
from dsl.scan import scan, too_deep, words_of
from dsl.stack import accepts, fits, read, stack_before
from dsl.statements import outline, statement_at

__all__ = ["NAME", "Cursor", "cursor_at", "word_at"]

NAME = re.compile(r"[^\W\d]\w*")

_MOST = 30
_PATH = re.compile(r"(?:[^\W\d]\w*[ \t]*\.[ \t]*)*(?:[^\W\d]\w*)?\Z")
_INSIDE = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\[^\n])*("?)')

_lock = Lock()


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a place takes.

    `start` is where the word begins that is being written there, `typed` is the word so far, `path`
    are the names before it, each with a dot. `keywords` are those that fit, `name` is what a name
    would mean, `text` what a text in quotes would; `quoted`: a text has been begun. `function`:
    a function can be called here.
    """

    start: int
    typed: str
    path: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    name: Place | None = None
    text: Place | None = None
    quoted: bool = False
    function: bool = False


def word_at(text: str, offset: int, pattern: re.Pattern[str] = NAME) -> re.Match[str] | None:
    """The word that an offset is in, or right behind."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    found = pattern.finditer(text, start, end if end >= 0 else len(text))
    return next((word for word in found if word.start() <= offset <= word.end()), None)


def cursor_at(text: str, offset: int) -> Cursor | None:
    """What can be written at an offset of a text; None in a comment or behind a mistake."""
    line = text.rfind("\n", 0, offset) + 1
    before = text[line:offset]
    for piece in _INSIDE.finditer(before):
        if piece[0].startswith("#"):
            return None
        if piece.end() == len(before) and not piece[1]:
            return _in_text(text, line + piece.start(), offset)
    dotted = _PATH.search(before)
    assert dotted is not None  # noqa: S101 - it matches the empty text
    *path, typed = re.split(r"[ \t]*\.[ \t]*", dotted[0])
    start = offset - len(typed)
    return _in_names(text, line + dotted.start() if path else start, start, typed, tuple(path))


def _in_text(text: str, start: int, offset: int) -> Cursor | None:
    with _lock:
        reader = _read_up_to(text, start)
        stack = stack_before(reader, "STRING") if reader else None
    if stack is None:
        return None
    return Cursor(start, text[start + 1 : offset], text=place_of_text(stack), quoted=True)


def _in_names(
    text: str, first: int, start: int, typed: str, path: tuple[str, ...]
) -> Cursor | None:
    with _lock:
        reader = _read_up_to(text, first)
        if reader is None:
            return None
        named = stack_before(reader, "NAME")
        name = place_of_name(named) if named is not None else None
        if path:
            return Cursor(start, typed, path, name=name)
        quoted = stack_before(reader, "STRING")
        found = fits(reader)
    place = place_of_text(quoted) if quoted is not None else None
    return Cursor(start, typed, (), found.keywords, name, place, False, found.function)


# -- reading ------------------------------------------------------------------------------------


def _read_up_to(text: str, stop: int) -> Any:
    """A parser that has read a text from the start of its item up to an offset.

    Earlier statements that are wrong are left out; None if the place itself is behind a mistake.
    """
    begin = next((b for b, e in chunks(text) if b <= stop < e or e == len(text)), 0)
    head = _blanked(text[begin:stop])
    for _ in range(_MOST):
        if too_deep(head) is not None:
            return None
        reader, failed = read(head)
        if failed is None:
            return reader
        mended = _without_statement(head, failed)
        if mended is None:
            return None
        head = mended
    return None


def _without_statement(head: str, failed: int) -> str | None:
    """The text without the statement that is to blame for a failure.

    None where that is the last one: the place is in it.
    """
    words = words_of(head, 0, len(head))
    place = statement_at(outline(words, 0, len(head)), words, failed)
    if place is None:
        return None
    block, index = place
    statement = block.statements[index]
    if index and block.kind != "top" and _hangs(head[: words[statement.first].start]):
        statement = block.statements[index - 1]
    elif statement.stop == len(words):
        return None
    start, end = words[statement.first].start, words[statement.stop - 1].end
    return head[:start] + _spaces(head[start:end]) + head[end:]


def _hangs(head: str) -> bool:
    """Whether a text breaks off inside a statement."""
    reader, failed = read(head)
    return failed is None and not accepts(reader, "RBRACE")


def _blanked(head: str) -> str:
    """The text with comments, stray characters and endless strings as spaces."""
    scanned = scan(head)
    for start, end in (*scanned.comments, *scanned.junk, *scanned.unterminated):
        head = head[:start] + _spaces(head[start:end]) + head[end:]
    return head


def _spaces(text: str) -> str:
    return "".join("\n" if c == "\n" else " " for c in text)
