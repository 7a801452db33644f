"""Sends values round a loop of field lines, as the engine would: do they come to rest?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from dsl import program as p
from dsl.checks.walk import refs
from dsl.evaluate import Context, value_of
from dsl.schema import Kind, Side
from dsl.types import kind_of
from dsl.values import canonical, convert, first, is_empty

__all__ = ["Flow", "Node", "runs_on"]

# A field of a type: its side, the type's name, the field's.
Node = tuple[Side, str, str]

_ROUNDS = 40
_LONG = 4000
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Flow:
    """One line in one direction, from one of the fields that it reads."""

    source: Node
    target: Node
    ref: p.FieldRef
    line: p.Line
    toggles: tuple[p.Condition, ...]

    @property
    def alters(self) -> bool:
        return self.line.via is not None or not isinstance(self.expression, p.FieldRef)

    @property
    def expression(self) -> p.Expression:
        return self.line.end(self.source[0])

    @property
    def written(self) -> p.FieldRef:
        end = self.line.end(self.target[0])
        assert isinstance(end, p.FieldRef)  # noqa: S101 - only a field can be written
        return end

    @property
    def way(self) -> str:
        return "inbound" if self.source[0] is Side.SALESFORCE else "outbound"

    @cached_property
    def conditions(self) -> tuple[p.Condition, ...]:
        """All that must hold for a value to go this way."""
        return (*self.toggles, self.line.when) if self.line.when else self.toggles


def runs_on(loop: Sequence[Flow]) -> bool:
    """Whether some value goes round and round, and is another each time.

    What is sent round are values that the lines themselves speak of, and a few others: what runs
    on is found for sure, what comes to rest for all of them is left alone.
    """
    nodes = {flow.source for flow in loop}
    for flow in loop:
        others = [ref for ref in refs(flow.expression) if ref.path != flow.ref.path]
        if any((ref.side, flow.source[1], ref.path) in nodes for ref in others):
            return False  # what it does then depends on which change comes first
    return any(
        _is_restless(loop, probe, filled) for filled in (True, False) for probe in _probes(loop)
    )


def _is_restless(loop: Sequence[Flow], probe: Any, filled: bool) -> bool:
    values: dict[Node, Any] = {loop[0].source: _kept(loop[0].ref, probe)}
    for _ in range(_ROUNDS):
        for flow in loop:
            value = _sent(flow, values[flow.source], filled)
            if value is _HELD or (flow.target in values and values[flow.target] == value):
                return False
            if isinstance(value, str) and len(value) > _LONG:
                return True
            values[flow.target] = value
    return True


_HELD = object()


def _sent(flow: Flow, value: Any, filled: bool) -> Any:
    """What a line writes for a value, as it is then kept; `_HELD` if it writes nothing."""

    def read(ref: p.FieldRef) -> Any:
        if ref.path == flow.ref.path:
            return value
        return _SAMPLES.get(ref.kind) if filled else None

    result = value_of(flow.expression, Context(read, lambda _: False, _NOW))
    if flow.line.via is not None:
        result = _mapped(flow.line.via, first(result), flow.way)
    if result is _HELD:
        return _HELD
    if is_empty(result) and flow.way in flow.line.prevent_empty:
        return _HELD
    return _kept(flow.written, convert(result, kind_of(flow.expression), flow.written.kind))


def _mapped(via: p.Translation, value: Any, way: str) -> Any:
    if is_empty(value):
        return None
    if way == "inbound" and value in via.inbound:
        return via.inbound[value].right
    if way == "outbound" and value in via.outbound:
        return via.outbound[value].left
    if via.otherwise == "text":
        return via.otherwise_text
    return {"hold": _HELD, "clear": None, "same": value}[via.otherwise]


def _kept(ref: p.FieldRef, value: Any) -> Any:
    return canonical(ref.kind, ref.is_email)(value)


# -- what is sent round -------------------------------------------------------------------------

_SAMPLES: dict[Kind, Any] = {
    Kind.TEXT: "Sample",
    Kind.NUMBER: 3,
    Kind.BOOLEAN: True,
    Kind.DATE: "2026-01-02",
    Kind.DATETIME: "2026-01-02T03:04:05.000Z",
    Kind.LIST: "Sample",
    Kind.UNKNOWN: "Sample",
}


def _probes(loop: Sequence[Flow]) -> Iterator[Any]:
    """Values to start with, of the kind that the loop's first field holds."""
    kind = loop[0].ref.kind
    if kind in (Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME):
        yield from {Kind.NUMBER: (1, 12), Kind.BOOLEAN: (True, False)}.get(kind, (_SAMPLES[kind],))
    else:
        yield from ("Ab Cd", "12")
    for flow in loop:
        if flow.line.via is not None:
            for entry in flow.line.via.entries:
                yield entry.left
                yield entry.right
        for text in _texts(flow.expression):
            yield from (text, f"Ab{text}Cd")


def _texts(expression: p.Expression) -> Iterator[str]:
    if isinstance(expression, p.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, p.Call):
        for argument in expression.arguments:
            yield from _texts(argument)
