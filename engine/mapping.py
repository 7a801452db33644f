"""A pair compiled for the engine: which fields to read, and functions that look at rows.

The generated functions take rows by position; the interpreter gives them batches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from dsl import program as ir
from dsl.schema import Side
from dsl.values import canonical
from engine.columns import End, columns_of, end_of, watched_fields
from engine.compile import FIXED, UNSET, Compiler, Holds, Merge, View, merge_function
from engine.model import Direction, Row, Value

__all__ = ["UNSET", "Holds", "LineCode", "Mapping", "compile_pair"]


@dataclass(frozen=True, slots=True)
class LineCode:
    """One compiled field line."""

    line: ir.Line
    ends: dict[Side, End]
    values: dict[Side, Callable[[Row, datetime], Value]]
    when: Holds | None

    @property
    def prevents(self) -> frozenset[str]:
        return self.line.prevent_empty

    def by_links(self) -> bool:
        return all(end.is_link for end in self.ends.values())


@dataclass(frozen=True)
class Mapping:
    """A compiled pair.

    `columns` are the fields to ask a store for, by side. `view` gives, for a row, one canonical
    value for each line (None for a `once` line, which is never compared) and then one for each field
    that a `changed` watches. `merge` answers (line, Salesforce changed, Outreach changed) for the
    lines where at least one side differs from its base.
    """

    pair: ir.Pair
    columns: dict[Side, tuple[str, ...]]
    lines: tuple[LineCode, ...]
    view: dict[Side, View]
    merge: Merge
    conditions: dict[str, Holds | None]
    keys: tuple[str, ...]
    zone: tzinfo

    @property
    def name(self) -> str:
        return self.pair.name

    def type_name(self, side: Side) -> str:
        return self.pair.type(side).name

    def slot(self, side: Side, path: str) -> int:
        """Where in a row the field stands."""
        return FIXED + self.columns[side].index(path)

    def canonical(self, side: Side, line: int) -> Callable[[Any], Any]:
        """What brings a line's values on one side into the form in which they are compared."""
        expression = self.lines[line].line.end(side)
        is_email = isinstance(expression, ir.FieldRef) and expression.is_email
        return canonical(self.lines[line].ends[side].kind, is_email)

    def flows(self, direction: Direction, action: str) -> bool:
        """Whether the toggles let this action (`create`, `update`, `delete`) flow at all."""
        seen = "polling" if direction is Direction.INBOUND else "pushing"
        return self.pair.toggle(seen).on and self.pair.toggle(f"{direction} {action}").on


def compile_pair(pair: ir.Pair, zone: tzinfo = UTC) -> Mapping:
    """Compile one checked pair; costs well under a millisecond."""
    ends = [{side: end_of(pair, line, side) for side in Side} for line in pair.lines]
    watched = watched_fields(pair)
    columns = {side: columns_of(pair, ends, watched, side) for side in Side}
    compiler = Compiler(pair, ends, columns, watched, zone)
    lines = tuple(
        LineCode(
            line=line,
            ends=at,
            values={side: compiler.value(line, at[side], side) for side in Side},
            when=compiler.holds(line.when, f"line {line.key}"),
        )
        for line, at in zip(pair.lines, ends, strict=True)
    )
    return Mapping(
        pair=pair,
        columns=columns,
        lines=lines,
        view={side: compiler.view(side) for side in Side},
        merge=merge_function(len(pair.lines)),
        conditions={
            name: compiler.holds(toggle.when, name) for name, toggle in pair.toggles.items()
        },
        keys=(*map(_line_key, pair.lines), *map(_watch_key, watched)),
        zone=zone,
    )


def _line_key(line: ir.Line) -> str:
    return f"{line.key} once" if line.once else line.key


def _watch_key(ref: ir.FieldRef) -> str:
    return f"changed {ref.side}.{ref.path}"
