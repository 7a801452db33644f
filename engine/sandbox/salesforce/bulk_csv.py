"""CSV as the Bulk API reads it, by declared separators, and writes it, with every value quoted."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = ["DELIMITERS", "ENDINGS", "BadData", "csv_text", "read_csv", "shown", "value_at"]

DELIMITERS: Mapping[str, str] = MappingProxyType(
    {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
)
ENDINGS: Mapping[str, str] = MappingProxyType({"LF": "\n", "CRLF": "\r\n"})

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
_WORDS = {True: "true", False: "false", None: ""}


class BadData(Exception):
    """A whole upload that cannot be read; the message becomes the job's `errorMessage`."""


def read_csv(raw: bytes, delimiter: str, ending: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of an upload. Raises `BadData`.

    `delimiter` and `ending` are the vendor's words for them.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadData("ClientInputError : The data is not encoded in UTF-8") from None
    _see_ending(text, ending)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[delimiter], strict=True)
    try:
        rows = [row for row in reader if row]
    except csv.Error as error:
        message = f"InvalidBatch : Failed to parse CSV, line {reader.line_num}: {error}"
        raise BadData(message) from None
    if not rows:
        return [], []
    header = [name.strip() for name in rows[0]]
    for row in rows[1:]:
        if len(row) > len(header):
            raise BadData(
                "InvalidBatch : Failed to parse CSV: a row has more columns than the header"
            )
    return header, rows[1:]


def _see_ending(text: str, ending: str) -> None:
    first = text.partition("\n")[0]
    other = "CRLF" if first.endswith("\r") else "LF"
    if "\n" in text and other != ending:
        raise BadData(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is"
            f" {ending}"
        )


def csv_text(rows: Iterable[Sequence[str]], delimiter: str = "COMMA", ending: str = "LF") -> str:
    """Rows as CSV in which every value is quoted."""
    made = io.StringIO(newline="")
    writer = csv.writer(
        made,
        delimiter=DELIMITERS[delimiter],
        lineterminator=ENDINGS[ending],
        quoting=csv.QUOTE_ALL,
    )
    writer.writerows(rows)
    return made.getvalue()


def value_at(record: Any, path: Sequence[str]) -> Any:
    """The value at the end of a path through nested records; None if one of them is missing."""
    for name in path:
        record = None if record is None else record[name]
    return record


def shown(value: Any) -> str:
    """A value of a record as the Bulk API writes it."""
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, str) and len(value) == 28 and _INSTANT.fullmatch(value):
        return f"{value[:23]}Z"
    return str(value)
