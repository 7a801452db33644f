"""Places in a text as an editor counts them, and as rule files count them.

An editor counts lines from 0 and columns in the units of an encoding, UTF-16 unless the two agree
on another; `dsl` counts both from 1, and columns in characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from lsprotocol import types as lsp

from dsl.source import Position, Span

__all__ = ["Text"]

_LINE_END = re.compile(r"\r\n|\n|\r")


class Text:
    """The text of one version of a file."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self.encoding = encoding

    @cached_property
    def _rows(self) -> list[int]:
        """The offsets at which the lines of `dsl` start."""
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    @cached_property
    def _lines(self) -> list[int]:
        """The offsets at which an editor's lines start: a lone carriage return ends one too."""
        if "\r" not in self.text:
            return self._rows
        return [0, *(end.end() for end in _LINE_END.finditer(self.text))]

    def _line(self, number: int) -> str:
        """The text of an editor's line, without its end."""
        start = self._lines[number]
        end = self._lines[number + 1] if number + 1 < len(self._lines) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def _units(self, text: str) -> int:
        if text.isascii() or self.encoding == "utf-32":
            return len(text)
        if self.encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(character > "\uffff" for character in text)

    # -- to the editor --------------------------------------------------------------------------

    def position(self, offset: int) -> lsp.Position:
        line = bisect_right(self._lines, offset) - 1
        return lsp.Position(line, self._units(self.text[self._lines[line] : offset]))

    def range(self, start: int, end: int) -> lsp.Range:
        return lsp.Range(self.position(start), self.position(end))

    def range_of(self, span: Span) -> lsp.Range:
        return self.range(self.offset_of(span.first), self.offset_of(span.last))

    # -- from the editor ------------------------------------------------------------------------

    def offset(self, position: lsp.Position) -> int:
        """The offset of an editor's position; past the end of a line is its end."""
        if position.line >= len(self._lines):
            return len(self.text)
        line = self._line(position.line)
        start = self._lines[position.line]
        if line.isascii() or self.encoding == "utf-32":
            return start + min(position.character, len(line))
        units = 0
        for index, character in enumerate(line):
            if units >= position.character:
                return start + index
            units += self._units(character)
        return start + len(line)

    # -- of rule files --------------------------------------------------------------------------

    def offset_of(self, place: Position) -> int:
        if place.line > len(self._rows):
            return len(self.text)
        return min(self._rows[place.line - 1] + place.column - 1, len(self.text))

    def place(self, offset: int) -> Position:
        line = bisect_right(self._rows, offset)
        return Position(line, offset - self._rows[line - 1] + 1)

    def indent(self, offset: int) -> tuple[int, str]:
        """Where the line of an offset starts, and the white space there."""
        start = self._lines[bisect_right(self._lines, offset) - 1]
        rest = self.text[start:]
        return start, rest[: len(rest) - len(rest.lstrip(" \t"))]

    # -- edits ----------------------------------------------------------------------------------

    def changed(self, change: lsp.TextDocumentContentChangeEvent) -> Text:
        """The text after an edit in the editor."""
        if isinstance(change, lsp.TextDocumentContentChangePartial):
            start, end = self.offset(change.range.start), self.offset(change.range.end)
            text = self.text[:start] + _clean(change.text) + self.text[max(start, end) :]
        else:
            text = _clean(change.text)
        return Text(text, self.encoding)

    @classmethod
    def opened(cls, text: str, encoding: str) -> Text:
        return cls(_clean(text), encoding)


def _clean(text: str) -> str:
    """Without halves of characters, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
