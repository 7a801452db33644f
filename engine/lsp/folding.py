"""What can be folded away: blocks in braces, and comments of several lines."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from dsl.scan import scan
from engine.lsp.workspace import Document

__all__ = ["folds"]


def folds(document: Document) -> list[lsp.FoldingRange]:
    """By the text alone, so that a mistake unfolds nothing."""
    return [*_blocks(document), *_comments(document)]


def _blocks(document: Document) -> Iterator[lsp.FoldingRange]:
    text = document.text
    opened: list[int] = []
    for offset in _braces(text.text):
        line = text.position(offset).line
        if text.text[offset] == "{":
            opened.append(line)
        elif opened:
            first = opened.pop()
            if line - 1 > first:
                yield lsp.FoldingRange(first, line - 1)


def _braces(text: str) -> Iterator[int]:
    """Those outside comments and text in quotes."""
    quoted = False
    comments = dict(scan(text).comments)
    at = 0
    while at < len(text):
        character = text[at]
        if at in comments:
            at = comments[at]
            continue
        if character == "\\" and quoted:
            at += 1
        elif character == '"' or (character == "\n" and quoted):
            quoted = not quoted
        elif character in "{}" and not quoted:
            yield at
        at += 1


def _comments(document: Document) -> Iterator[lsp.FoldingRange]:
    """Runs of comments on lines of their own."""
    text = document.text
    first = last = -2
    for start, end in scan(text.text).comments:
        begin, _ = text.indent(start)
        if text.text[begin:start].strip():
            continue
        line = text.position(end).line
        if line != last + 1:
            yield from _run(first, last)
            first = line
        last = line
    yield from _run(first, last)


def _run(first: int, last: int) -> Iterator[lsp.FoldingRange]:
    if last > first >= 0:
        yield lsp.FoldingRange(first, last, kind=lsp.FoldingRangeKind.Comment)
