"""Rules as the console shows them: a sync's own text, formatted and coloured, to be read only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from dsl import syntax as s
from dsl.format import format_source
from dsl.parser import parse
from dsl.program import Pair
from dsl.source import Source
from dsl.tokens import Token, tokens

__all__ = ["Block", "block_of"]


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a file: numbered lines of HTML; `tidy` if the file stands as `fmt` writes it."""

    place: str
    lines: tuple[tuple[int, Markup], ...]
    tidy: bool


def block_of(pair: Pair) -> Block:
    """The text of the sync, or of the rule, that a pair was made of."""
    source = pair.span.source
    formatted = Source(source.path, format_source(source).text)
    start, end = pair.span.start, pair.span.end
    tidy = formatted.text == source.text
    if not tidy:
        found = _sync(formatted, pair)
        if found is None:
            formatted = source
        else:
            start, end = found.span.start, found.span.end
    return Block(pair.span.place, _lines(formatted.path, formatted.text, start, end), tidy)


def _sync(source: Source, pair: Pair) -> s.Sync | None:
    module, _ = parse(source)
    wanted = pair.salesforce.name, pair.outreach.name
    for item in module.items:
        if isinstance(item, s.Sync) and (item.salesforce.text, item.outreach.text) == wanted:
            return item
    return None


@lru_cache(maxsize=64)
def _lines(path: str, text: str, start: int, end: int) -> tuple[tuple[int, Markup], ...]:
    source = Source(path, text)
    first = source.position(start).line
    html = Markup().join(
        _coloured(token, max(token.start, start), min(token.end, end))
        for token in tokens(source)
        if token.start < end and token.end > start
    )
    rows = html.split("\n")  # as `Markup`, since each part of it was escaped
    return tuple(enumerate(rows, first))


def _coloured(token: Token, start: int, end: int) -> Markup:
    text = token.text[start - token.start : end - token.start]
    kind = _kind(token)
    if kind is None:
        return Markup.escape(text)
    # A token of several lines would leave its tag open at the end of the first.
    rows = [Markup('<span class="{}">{}</span>').format(kind, row) for row in text.split("\n")]
    return Markup("\n").join(rows)


def _kind(token: Token) -> str | None:
    if token.kind in ("WHITE", "NAME", "JUNK", "OTHER"):
        return "t-arrow" if token.text in ("<->", "->", "<-") else None
    if token.kind == "COMMENT":
        return "t-comment"
    if token.text.startswith('"'):
        return "t-text"
    if token.text in ("<->", "->", "<-"):
        return "t-arrow"
    if token.text[:1].isdigit() or token.text[:1] == "-":
        return "t-number"
    return "t-word" if token.text[:1].isalpha() else None
