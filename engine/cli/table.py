"""Rows for people and programs: a table on a terminal, plain columns in a pipe, JSON, CSV.

Rows are taken as they come and never held all at once, however long a log is.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from engine.harmless import harmless

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["plain", "print_csv", "print_json", "print_table"]

_BATCH = 500


def plain(value: object) -> str:
    """A cell: one line, and nothing in it that would move a terminal's cursor."""
    if value is None:
        return ""
    words = " ".join(str(value).split())
    return words if words.isprintable() else "".join(c if c.isprintable() else "�" for c in words)


def print_json(head: Mapping[str, Any], key: str, items: Iterable[Mapping[str, Any]]) -> None:
    """One JSON document: `head`, and under `key` the items, one to a line."""
    write = sys.stdout.write
    write(json.dumps(head, ensure_ascii=False)[:-1] + f", {json.dumps(key)}: [")
    for place, item in enumerate(items):
        write((",\n" if place else "\n") + json.dumps(item, ensure_ascii=False))
    write("]}\n")


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV with a heading, in which no cell is a formula to a spreadsheet that opens it."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """A table, or plain columns if standard output is no terminal; how many rows there were.

    A column whose name ends in `#` is of numbers; the sign is not shown.
    """
    lines = ([plain(cell) for cell in row] for row in rows)
    first = list(islice(lines, _BATCH))
    if not first:
        return 0
    if sys.stdout.isatty():
        return _rich(columns, first, lines)
    return _columns(columns, first, lines)


def _columns(columns: Sequence[str], first: list[list[str]], rest: Iterator[list[str]]) -> int:
    """As wide as the first rows want it; a later cell that is wider moves its own line only."""
    head = [name.removesuffix("#").upper() for name in columns]
    widths = [max(map(len, cells)) for cells in zip(head, *first, strict=True)]
    count = -1
    for count, row in enumerate(chain([head], first, rest)):  # noqa: B007 - counted for the caller
        cells = [
            f"{cell:>{width}}" if name.endswith("#") else f"{cell:<{width}}"
            for name, cell, width in zip(columns, row, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())
    return count


def _rich(columns: Sequence[str], first: list[list[str]], rest: Iterator[list[str]]) -> int:
    from rich.console import Console as Terminal
    from rich.table import Table
    from rich.text import Text

    console, count, batch = Terminal(), 0, first
    widths = _widths([[name.removesuffix("#") for name in columns], *first], console.width)
    if widths is None:
        return _cards(console, columns, chain(first, rest))
    while batch:
        table = Table(box=None, pad_edge=False, header_style="bold", show_header=not count)
        for name, width in zip(columns, widths, strict=True):
            right = name.endswith("#")
            table.add_column(
                name.removesuffix("#"),
                justify="right" if right else "left",
                overflow="fold",
                no_wrap=right,
                width=width,
            )
        for row in batch:
            table.add_row(*map(Text, row))
        console.print(table)
        count += len(batch)
        batch = list(islice(rest, _BATCH))
    return count


def _cards(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """A block of lines for each row, where a terminal is too narrow for columns."""
    count = 0
    names = [name.removesuffix("#") for name in columns]
    for count, row in enumerate(rows, 1):  # noqa: B007 - counted for the caller
        console.print(row[0], style="bold", markup=False, highlight=False)
        for name, cell in zip(names[1:], row[1:], strict=True):
            if cell:
                console.print(f"  {name}: {cell}", markup=False, highlight=False)
    return count


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """How wide columns are of which no word is cut, if that can be had."""
    whole = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    least = [max(map(_longest, cells)) for cells in zip(*rows, strict=True)]
    wish = sum(whole) - sum(least)
    spare = min(room - sum(least) - 2 * (len(least) - 1), wish)
    if spare < 0:
        return None
    return [w + spare * (all_ - w) // max(wish, 1) for w, all_ in zip(least, whole, strict=True)]


def _longest(cell: str) -> int:
    return max(map(len, cell.split()), default=0)
