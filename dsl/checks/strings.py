"""Places inside the text literals of rule files, so that a finding marks the very word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsl.program import MapEntry
from dsl.source import Span

__all__ = ["STRING", "escaped", "inside", "label_spans", "part"]

STRING = r'"(?:[^"\\\n]|\\.)*"'

_UNIT = re.compile(r"\\u\{[^}]*\}|\\.|.", re.DOTALL)
_GAP = r"(?:\s|#[^\n]*\n)*"
_LABEL = rf"({STRING}|[\w.-]+?)"
_ENTRY = re.compile(rf"{_LABEL}{_GAP}(?:<->|->|<-){_GAP}{_LABEL}(?![\w.])")


def inside(literal: Span) -> Span:
    """A text literal without its quotes."""
    return literal._replace(start=literal.start + 1, end=literal.end - 1)


def part(literal: Span, start: int, end: int) -> Span:
    """Where the characters `start` to `end` of a text literal's value are written."""
    places = [*_places(literal), literal.end - 1]
    last = len(places) - 1
    return literal._replace(start=places[min(start, last)], end=places[min(end, last)])


def _places(literal: Span) -> Iterator[int]:
    for unit in _UNIT.finditer(literal.text[1:-1]):
        yield literal.start + 1 + unit.start()


def escaped(text: str) -> str:
    """A text as it stands between the quotes of a literal."""
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return "".join(named.get(character, character) for character in text)


def label_spans(entry: MapEntry) -> tuple[Span, Span]:
    """Where the two labels of a map's pair stand; text without its quotes."""
    found = _ENTRY.match(entry.span.text)
    if found is None:
        return entry.span, entry.span
    return _label(entry.span, found.span(1)), _label(entry.span, found.span(2))


def _label(entry: Span, at: tuple[int, int]) -> Span:
    label = entry._replace(start=entry.start + at[0], end=entry.start + at[1])
    return inside(label) if label.text.startswith('"') else label
