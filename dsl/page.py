"""The formatter's page: words go onto it row by row, and their comments find their place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

from dsl.words import Note, Word, cells

__all__ = ["INDENT", "WIDTH", "Page", "column"]

INDENT = 4
WIDTH = 100

# What is wider stands out of its column and pushes nothing else to the right: a name of
# Salesforce's, which has up to 43 characters, still fits.
_WIDEST_CELL = 44
_WIDEST_COMMENTED = 72


def column(widths: Iterable[int], widest: int = _WIDEST_CELL) -> int:
    """How wide a column is that holds all but what is too wide for one."""
    return max((width for width in widths if width <= widest), default=0)


@dataclass(slots=True)
class _Line:
    indent: int
    text: str
    comment: str = ""

    @property
    def width(self) -> int:
        return self.indent + cells(self.text)


class Page:
    """Rows of words.

    A comment ends its line: a row with one inside goes on below, further in.
    """

    def __init__(self) -> None:
        self.indent = 0
        self._lines: list[_Line] = []
        self._outer: list[int] = []
        # Where the next word goes: to a new row, to a line that carries this row on, or right here.
        self._next: OneOf["row", "carried", "here"] = "row"
        self._bare = True  # nothing stands in this block yet
        self._apart = False

    def row(self, *, apart: bool = False) -> None:
        """The next word starts a row; `apart`: after a blank line, whatever stood there."""
        self._next = "row"
        self._apart = apart

    def carry_on(self) -> None:
        """The next word starts a line that carries its row on."""
        self._next = "carried"

    def put(self, word: Word, gap: int = 1) -> None:
        self._notes(word.before)
        if self._next == "here":
            self._lines[-1].text += " " * gap + word.text
        else:
            self._line(word.text, word.blank)
        self._next = "here"
        if word.after:
            self._lines[-1].comment = word.after
            self._next = "carried"

    def open(self) -> None:
        """What follows stands inside the braces opened on this line."""
        self._outer.append(self.indent)
        self.indent = self._lines[-1].indent + INDENT
        self._bare = True
        self.row()

    def close(self, brace: Word) -> None:
        """The comments at a block's end, and its `}` on a row of its own."""
        self.row()
        self._notes(brace.before)
        self.indent -= INDENT
        self._bare = False
        self._line(brace.text, False)
        self._next = "here"
        if brace.after:
            self._lines[-1].comment = brace.after
            self._next = "carried"
        self.indent = self._outer.pop()

    def end(self, word: Word) -> None:
        """The comments at the end of the file."""
        self.row()
        self._notes(word.before)

    def fits(self, width: int, gap: int) -> bool:
        """Whether so much more fits on the line."""
        if self._next == "here":
            return self._lines[-1].width + gap + width <= WIDTH
        return self._start + width <= WIDTH

    @property
    def _start(self) -> int:
        return self.indent if self._next == "row" else self.indent + INDENT

    def _notes(self, notes: Iterable[Note]) -> None:
        for note in notes:
            if self._next == "here":
                self._next = "carried"
            self._line(note.text, note.blank)

    def _line(self, text: str, blank: bool) -> None:
        if self._next == "row" and (blank or self._apart) and not self._bare:
            self._lines.append(_Line(0, ""))
        self._lines.append(_Line(self._start, text))
        self._bare = self._apart = False

    def text(self) -> str:
        """The page as the text of a file."""
        return "".join(f"{line}\n" for line in self._written())

    def _written(self) -> Iterator[str]:
        for group in self._groups():
            widest = column((line.width for line in group if line.comment), _WIDEST_COMMENTED)
            for line in group:
                written = " " * line.indent + line.text
                if line.comment:
                    written += " " * (max(widest - line.width, 0) + 2) + line.comment
                yield written

    def _groups(self) -> Iterator[list[_Line]]:
        """Lines whose comments stand in one column: neighbours, indented alike."""
        group: list[_Line] = []
        for line in self._lines:
            if group and (line.indent != group[-1].indent or not line.text or not group[-1].text):
                yield group
                group = []
            group.append(line)
        yield group
