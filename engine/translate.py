"""One line's value on its way to the other side: maps, references, kinds and lists."""

from __future__ import annotations

from typing import Any

from dsl.schema import Kind, Side
from dsl.values import convert, first, is_empty
from engine.case import Case
from engine.mapping import LineCode
from engine.model import Direction, Value
from engine.references import Wait

__all__ = ["HOLD", "line_holds", "put_first", "same", "sendable", "slot", "translate"]

HOLD = object()
"""What an unmapped value comes to: leave the other side as it is."""


def slot(case: Case, code: LineCode, side: Side) -> int:
    return case.mapping.slot(side, code.ends[side].column or "")


def line_holds(case: Case, code: LineCode) -> bool:
    return code.when is None or case.ask(code.when)


def translate(case: Case, number: int, direction: Direction) -> Any:
    """The source's value in the target's terms, for people to read; `HOLD`, or a `Wait`."""
    code = case.mapping.lines[number]
    source, target = code.ends[direction.source], code.ends[direction.target]
    value = code.values[direction.source](case.rows[direction.source], case.now)
    if code.line.via is not None:
        return _mapped(code, direction, first(value))
    if source.is_link and target.is_link:
        if value is None:
            return None
        found = case.references.linked(number, direction.source, value)
        return HOLD if found is None else found
    if target.by_name:
        return first(value)
    kind = target.kind
    if target.is_list:
        value, kind = first(value), Kind.UNKNOWN
    return convert(value, source.kind, kind, case.mapping.zone)


def _mapped(code: LineCode, direction: Direction, value: Value) -> Any:
    via = code.line.via
    if via is None or is_empty(value):
        return None
    inbound = direction is Direction.INBOUND
    entry = (via.inbound if inbound else via.outbound).get(value)
    if entry is not None:
        return entry.right if inbound else entry.left
    match via.otherwise:
        case "hold":
            return HOLD
        case "clear":
            return None
        case "same":
            return value
        case "text":
            return via.otherwise_text


def sendable(case: Case, number: int, direction: Direction, value: Value) -> Value | Wait:
    """The value as the store takes it: the id of what bears the name, where names are mapped."""
    target = case.mapping.lines[number].ends[direction.target]
    if not target.by_name or is_empty(value):
        return value
    return case.references.named(number, direction.target, target.targets, str(value))


def same(case: Case, number: int, direction: Direction, value: Value) -> bool:
    """Whether the target already holds the value, in canonical form."""
    form = case.mapping.canonical(direction.target, number)
    code = case.mapping.lines[number]
    return bool(
        form(value) == form(case.rows[direction.target][slot(case, code, direction.target)])
    )


def put_first(value: Value, before: Value) -> list[Value]:
    """A list attribute with the value first and its other elements kept."""
    others = list(before) if isinstance(before, list) else []
    if is_empty(value):
        return others[1:]
    folded = value.casefold() if isinstance(value, str) else value
    return [value, *(v for v in others if (v.casefold() if isinstance(v, str) else v) != folded)]
