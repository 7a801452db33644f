"""A rule file's text and the places in it, so that every finding can say where."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

__all__ = ["Position", "Source", "Span"]


class Position(NamedTuple):
    """A line and a column, both counted from 1; columns count characters."""

    line: int
    column: int


@dataclass(eq=False)
class Source:
    """One rule file, or whole lines of one: its path as the user knows it, and its text.

    `first_line` is the line of the file that the text starts on. That of a part changes as lines
    come or go above it, and the places of all that was read from the part move along.
    """

    path: str
    text: str = field(repr=False)
    first_line: int = 1

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """The offset at which each line of the text starts."""
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return tuple(starts)

    def position(self, offset: int) -> Position:
        """The line and column, in the file, of an offset into the text."""
        line = bisect_right(self.line_starts, offset)
        return Position(line + self.first_line - 1, offset - self.line_starts[line - 1] + 1)

    def offset(self, position: Position) -> int:
        """Where in the text a line and column of the file are."""
        return self.line_starts[position.line - self.first_line] + position.column - 1

    def line_text(self, line: int) -> str:
        """The text of a line of the file, without its line end."""
        number = line - self.first_line
        start = self.line_starts[number]
        end = self.line_starts[number + 1] if number + 1 < len(self.line_starts) else None
        return self.text[start:end].rstrip("\r\n")


class Span(NamedTuple):
    """A stretch of a source, from `start` up to, not including, `end` (offsets in characters)."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def first(self) -> Position:
        return self.source.position(self.start)

    @property
    def last(self) -> Position:
        return self.source.position(self.end)

    @property
    def place(self) -> str:
        """`file:line`, as a change in a plan names its rule."""
        return f"{self.source.path}:{self.first.line}"

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other`, which is of the same source."""
        return Span(self.source, self.start, other.end)
