"""JSON arrays in files, read element by element, so that a long one takes little memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import TextIOBase
from pathlib import Path
from typing import Any

from engine.ports import StoreError

__all__ = ["array_elements"]

_CHUNK = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def array_elements(path: Path) -> Iterator[tuple[Any, float]]:
    """The elements of the JSON array in a file, each with the share of the file that is read.

    Raises `StoreError`, naming the file, if it cannot be read, is not UTF-8, or holds no array.
    """
    try:
        size = max(path.stat().st_size, 1)
        with path.open(encoding="utf-8-sig") as file:
            yield from _Reader(path, file, size).elements()
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise StoreError(f"{path} is not UTF-8 (at {where}): save it as UTF-8") from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None


class _Reader:
    def __init__(self, path: Path, file: TextIOBase | Any, size: int) -> None:
        self._path, self._file, self._size = path, file, size
        self._text, self._at, self._lines, self._ended = "", 0, 1, False
        self._read, self._chunk = 0, _CHUNK

    def elements(self) -> Iterator[tuple[Any, float]]:
        if self._next() != "[":
            raise self._wrong("a JSON array is expected, beginning with `[`")
        self._at += 1
        if self._next() == "]":
            self._at += 1
        else:
            yield from self._members()
        if self._next():
            raise self._wrong("there is more text behind the end of the array")

    def _members(self) -> Iterator[tuple[Any, float]]:
        while True:
            self._next()
            yield self._element(), min(self._read / self._size, 1.0)
            mark = self._next()
            if mark not in (",", "]"):
                raise self._wrong("`,` or `]` is expected here")
            self._at += 1
            if mark == "]":
                return

    def _next(self) -> str:
        """The next character that is no white space; "" at the end of the file."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _element(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # The element may only be cut off where the text read so far ends.
                if not self._more():
                    self._at = error.pos
                    raise self._wrong(f"this is no JSON: {error.msg}") from None
                continue
            except RecursionError:
                raise self._wrong("this is nested too deeply") from None
            except ValueError as error:
                raise self._wrong(str(error)) from None
            if end == len(self._text) and self._more():
                continue  # a number may go on in the next chunk
            self._at, self._chunk = end, _CHUNK
            return value

    def _more(self) -> bool:
        if self._ended:
            return False
        chunk = self._file.read(self._chunk)
        self._ended = not chunk
        self._lines += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :] + chunk
        self._at = 0
        self._read += len(chunk.encode())
        self._chunk *= 2  # an element longer than a chunk is decoded again only a few times
        return True

    def _wrong(self, what: str) -> StoreError:
        line = self._lines + self._text.count("\n", 0, self._at)
        return StoreError(f"{self._path}, line {line}: {what}")
