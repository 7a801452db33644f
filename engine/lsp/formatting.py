"""Formatting: the canonical form as the smallest edit that leads to it."""

from __future__ import annotations

from lsprotocol import types as lsp

from dsl.format import format_source
from engine.lsp.positions import Text
from engine.lsp.workspace import Document

__all__ = ["formatted"]


def formatted(document: Document) -> tuple[list[lsp.TextEdit], str | None]:
    """The edits that format a file, and why there can be none."""
    result = format_source(document.source)
    if result.findings:
        line = result.findings[0].span.first.line
        return [], f"not formatted: there is a syntax error on line {line}"
    if result.flaw:
        return [], f"not formatted: the formatter {result.flaw}; please report this"
    return _edits(document.text, result.text), None


def _edits(text: Text, after: str) -> list[lsp.TextEdit]:
    """One edit of the lines that differ: what stays keeps its cursor and its marks."""
    before = text.text
    if before == after:
        return []
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    start = sum(map(len, old[:head]))
    end = len(before) - sum(map(len, old[len(old) - tail :]))
    return [lsp.TextEdit(text.range(start, end), "".join(new[head : len(new) - tail]))]


def _same(old: list[str], new: list[str]) -> int:
    """How many lines are alike from the start on."""
    count = 0
    for a, b in zip(old, new, strict=False):
        if a != b:
            break
        count += 1
    return count
