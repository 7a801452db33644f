"""Which text a file of rows holds: its encoding and its separator, told from the file itself."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import _csv

__all__ = ["Text", "Unreadable", "look_into", "records"]

_BLOCK = 1 << 16
_SEPARATORS = (",", ";", "\t", "|")
_LONGEST = 1 << 20  # characters of one cell: past it, a quote is open that nothing closes
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unreadable(Exception):
    """A file cannot be read as rows; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Text:
    """A file of rows, and how to read it."""

    path: Path
    encoding: str
    separator: str


def look_into(path: Path, worth: Callable[[Sequence[str]], int]) -> Text:
    """Tell a file's encoding and separator. Raises `Unreadable`.

    `worth` says how many cells of a first row are columns that it knows: the separator that shows
    most of them is the one.
    """
    try:
        encoding = _encoding(path)
        with path.open(encoding=encoding, newline="") as file:
            sample = file.read(_BLOCK)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from None
    if sample.startswith("sep=") and len(sample) > len("sep="):  # as Excel writes it
        return Text(path, encoding, sample[len("sep=")])
    heads = {mark: _first(sample, mark) for mark in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda mark: (worth(heads[mark]), len(heads[mark])))
    return Text(path, encoding, best)


def _first(sample: str, separator: str) -> list[str]:
    try:
        return next((row for row in _reader(io.StringIO(sample, newline=""), separator) if row), [])
    except csv.Error:
        return []


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_BLOCK)
    for bom, name in _BOMS:
        if start.startswith(bom):
            return name
    if b"\0" in start:
        return "utf-16-be" if start[:1] == b"\0" else "utf-16-le"
    for name in ("utf-8", "cp1252"):
        if _decodes(path, name):
            return name
    raise Unreadable(
        f"{path} is no text in UTF-8, UTF-16 or Windows-1252: export it again, as UTF-8"
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _reader(lines: Iterable[str], separator: str) -> _csv.Reader:
    csv.field_size_limit(_LONGEST)
    return csv.reader(lines, delimiter=separator, strict=False)


def records(text: Text) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it starts on, an empty line as an empty row.

    Raises `Unreadable` where the file ceases to be rows.
    """
    line = 1
    try:
        with text.path.open(encoding=text.encoding, newline="") as file:
            rows = _reader(file, text.separator)
            for row in rows:
                if line > 1 or not (row and row[0].startswith("sep=")):
                    yield line, row
                line = rows.line_num + 1
    except csv.Error:
        raise Unreadable(
            f"{text.path}:{line}: a cell is longer than {_LONGEST:,} characters: see whether a"
            " quote is left open there"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{text.path}:{line}: it cannot be read on: {error}") from None
