"""One line's value on its way to the other side: maps, references, kinds and lists."""

from __future__ import annotations

from typing import Any

from dsl.values import canonical_id, is_empty
from engine.case import Case
from engine.compile import is_unset
from engine.mapping import LineCode
from engine.model import Direction, RecordId, Value
from engine.references import Wait
from engine.translator import Linked

__all__ = ["line_holds", "put_first", "put_in", "same", "sendable", "translate"]


def line_holds(case: Case, code: LineCode) -> bool:
    return code.when is None or case.ask(code.when)


def translate(case: Case, number: int, direction: Direction) -> Any:
    """The source's value in the target's terms, for people to read; `HOLD`, or a `Wait`."""
    code = case.mapping.lines[number]
    return code.translate[direction](case.rows[direction.source], case.references, case.now)


def sendable(case: Case, number: int, direction: Direction, value: Value) -> Value | Wait:
    """The value as the store takes it: the id of what bears the name, where names are mapped."""
    target = case.mapping.lines[number].ends[direction.target]
    if isinstance(value, Linked):
        return value.id
    if not target.by_name or is_empty(value) or isinstance(value, Wait):
        return value
    return case.references.named(number, direction.target, target.targets, str(value))


def same(case: Case, number: int, direction: Direction, value: Value) -> bool:
    """Whether the target already holds the value, in canonical form."""
    code, target = case.mapping.lines[number], direction.target
    row = case.rows[target]
    if code.ends[target].is_many:
        there = row[code.slots[target]]
        return put_in(case, number, direction, value, there) == (there or [])
    if isinstance(value, Linked):
        there = row[case.mapping.slot(target, code.ends[target].id_column or "")]
        return bool(canonical_id(there) == value.id)
    form = code.forms[target]
    return bool(form(value) == form(row[code.slots[target]]))


def put_first(value: Value, before: Value) -> list[Value]:
    """A list attribute with the value first and its other elements kept."""
    others = list(before) if isinstance(before, list) else []
    if is_empty(value):
        return others[1:]
    folded = value.casefold() if isinstance(value, str) else value
    return [value, *(v for v in others if (v.casefold() if isinstance(v, str) else v) != folded)]


def put_in(
    case: Case, number: int, direction: Direction, value: Value, before: Value
) -> list[Value]:
    """The records of a relationship to many with the line's own in the place of its last one.

    What people put there stays, and so does what another line gives.
    """
    others = list(before) if isinstance(before, list) else []
    last = _given_last(case, number, direction)
    if last is not None and last != value and last not in _given_by_others(case, number, direction):
        others = [each for each in others if each != last]
    return others if is_empty(value) or value in others else [*others, value]


def _given_last(case: Case, number: int, direction: Direction) -> RecordId | None:
    base = case.base(direction.source, number)
    if base is None or is_unset(base):
        return None
    return case.references.partner(number, direction.source, base)


def _given_by_others(case: Case, number: int, direction: Direction) -> list[Value]:
    target = case.mapping.lines[number].ends[direction.target].name
    return [
        translate(case, n, direction)
        for n, code in enumerate(case.mapping.lines)
        if n != number and code.ends[direction.target].name == target and line_holds(case, code)
    ]
