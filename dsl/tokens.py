"""The tokens of a rule file, comments and white space among them: joined, they are the file."""

from __future__ import annotations

import re
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from dsl.grammar import load_parser
from dsl.parser import chunks
from dsl.source import Source

if TYPE_CHECKING:
    from lark import Lark

__all__ = ["Token", "tokens"]


class Token(NamedTuple):
    """A stretch of the text.

    `kind` is the grammar's terminal: `NAME`, `STRING`, `WHITE`, `COMMENT`, `JUNK`, a keyword in
    capitals; `OTHER` in a stretch that the grammar cannot read.
    """

    kind: str
    start: int
    end: int
    text: str


_ROUGH = re.compile(
    r"""(?P<WHITE>\s+) | (?P<COMMENT>\#[^\n]*) | (?P<STRING>"(?:[^"\\\n]|\\[^\n])*"?)
        | (?P<NAME>[^\W\d]\w*) | (?P<OTHER><->|->|<-|[<>!]=|\w+|.)""",
    re.VERBOSE | re.DOTALL,
)

_lock = Lock()


@cache
def _recorder() -> tuple[Lark, list[Any]]:
    """A parser that keeps what it skips."""
    skipped: list[Any] = []

    def keep(token: Any) -> Any:
        skipped.append(token)
        return token

    ignored = ("WHITE", "COMMENT", "JUNK")
    return load_parser(lexer_callbacks=dict.fromkeys(ignored, keep)), skipped


def tokens(source: Source) -> list[Token]:
    """All tokens in order, without gaps."""
    from lark import UnexpectedInput  # noqa: PLC0415 - lazy
    from lark.utils import TextSlice  # noqa: PLC0415 - lazy

    text = source.text
    found: list[Token] = []
    with _lock:
        lark, skipped = _recorder()
        for begin, end in chunks(text):
            skipped.clear()
            try:
                reader: Any = lark.parse_interactive(TextSlice(text, begin, end))
                read = [*reader.exhaust_lexer(), *skipped]
                reader.feed_eof()
            except UnexpectedInput:
                found += _rough(text, begin, end)
                continue
            read.sort(key=lambda token: token.start_pos)
            found += (Token(t.type, t.start_pos, t.end_pos, str(t)) for t in read)
        skipped.clear()
    return found


def _rough(text: str, begin: int, end: int) -> list[Token]:
    return [
        Token(piece.lastgroup or "OTHER", piece.start(), piece.end(), piece[0])
        for piece in _ROUGH.finditer(text, begin, end)
    ]
