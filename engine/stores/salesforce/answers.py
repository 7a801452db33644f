"""Answers to queries, from bytes to rows: decoded straight into the columns that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from engine.model import Row

__all__ = ["Answer", "Reader", "reader_of"]

_STAMP = 23  # len("2026-11-23T09:30:00.000"), behind which `+0000` follows


class Answer(NamedTuple):
    """One page of a query's records; `total` is of all pages, `next` where the rest is."""

    records: list[Any]
    total: int
    next: str | None


class Reader:
    """Reads answers to `SELECT Id, stamp, fields`: rows as `Row` has them."""

    def __init__(self, stamp_path: str, fields: Sequence[str]) -> None:
        paths = ("Id", stamp_path, *fields)
        self._stamp = stamp_path
        record = _struct("Record", paths)
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(_page_of(record)).decode
        self._gets = [_getter(path) for path in paths]
        #: Whether a record as a tuple is its row already.
        self._plain = len(set(paths)) == len(paths) and not any("." in path for path in paths)

    def answer(self, body: bytes) -> Answer:
        """Raises `msgspec.DecodeError`."""
        page = self._decode(body)
        return Answer(page.records, page.totalSize, None if page.done else page.nextRecordsUrl)

    def rows(self, records: Iterable[Any]) -> list[Row]:
        """The records as rows, each of which is read once."""
        found = list(records)
        if self._plain:
            for record in found:
                setattr(record, self._stamp, _stamped(getattr(record, self._stamp)))
            return list(map(astuple, found))
        columns = [list(map(get, found)) for get in self._gets]
        columns[1] = [_stamped(stamp) for stamp in columns[1]]
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=128)
def reader_of(stamp_path: str, fields: tuple[str, ...]) -> Reader:
    """The reader of a query, made once for all its pages.

    Where a type has no stamp, and `Id` takes its place, rows have an id there that nobody goes by.
    """
    return Reader(stamp_path, fields)


def _stamped(text: str | None) -> str:
    return text[:_STAMP] + "Z" if text else ""


def _page_of(record: type) -> type:
    return msgspec.defstruct(
        "Page",
        [
            ("totalSize", int),
            ("done", bool),
            ("records", list[record]),  # type: ignore[valid-type]
            ("nextRecordsUrl", str | None, None),
        ],
    )


def _struct(name: str, paths: Iterable[str]) -> type:
    """A struct of the fields and, nested, of those of the records that they refer to."""
    parts: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition(".")
        parts.setdefault(first, []).append(rest)
    fields = [
        (first, _struct(first, rests) | None if all(rests) else Any, None)
        for first, rests in parts.items()
    ]
    return msgspec.defstruct(name, fields, gc=False)


def _getter(path: str) -> Callable[[Any], Any]:
    if "." not in path:
        return attrgetter(path)
    names = path.split(".")

    def through(record: Any) -> Any:
        for name in names:
            if record is None:
                return None
            record = getattr(record, name)
        return record

    return through
