"""Each field line of one decision: its base, both values, and what was decided by which rule."""

from __future__ import annotations

from typing import Any

from dsl.schema import Side
from engine.case import Case, Change, FieldChange, Verdict
from engine.compile import is_unheard, is_unset
from engine.mapping import LineCode
from engine.model import SIDES, Action, Direction
from engine.rehearsal import is_provisional

__all__ = ["fields_of"]


def fields_of(case: Case, verdict: Verdict) -> list[dict[str, Any]]:
    """One entry for each line of the sync, in the order of the rules.

    Of an activity only those of the kind that it is, and none if it is left alone.
    """
    changes = [c for c in verdict.changes if c.action is not Action.SKIP]
    if case.mapping.pair.label and verdict.changes and not changes:
        return []
    written = {f.line: (c, f) for c in changes for f in c.fields}
    return [
        _field(case, number, code, written.get(number))
        for number, code in enumerate(case.mapping.lines)
        if not case.mapping.pair.label or _concerns(case, code)
    ]


def _concerns(case: Case, code: LineCode) -> bool:
    """Whether a line of an activity's is of the kind that it is, and of whom it is about."""
    theirs = not case.who or code.line.who in ("", case.who)
    return theirs and (code.when is None or case.ask(code.when))


def _field(
    case: Case, number: int, code: LineCode, written: tuple[Change, FieldChange] | None
) -> dict[str, Any]:
    default = Direction.INBOUND if code.line.inbound else Direction.OUTBOUND
    direction = written[0].direction if written else default
    bases = {side.value: _base(case, number, side) for side in SIDES}
    return {
        "source": code.ends[direction.source].label,
        "target": code.ends[direction.target].label,
        "base": bases[direction.source.value],
        "bases": bases,
        **{side.value: _value(case, number, code, side) for side in SIDES},
        "decision": _decision(case, number, written),
        "rule": code.line.span.place,
    }


def _base(case: Case, number: int, side: Side) -> Any:
    line = case.mapping.lines[number].line
    if case.bases is None or not line.compares(side) or line.compared is not None:
        return None
    value = case.base(side, number)
    return None if is_unset(value) or is_unheard(value) else value


def _value(case: Case, number: int, code: LineCode, side: Side) -> Any:
    row = case.rows.get(side)
    if row is None:
        return None
    if code.line.compared is not None and code.ends[side].column is None:
        return None  # what stands there is the mark by which a change of kind is seen
    if code.ends[side].column is None:
        view = case.views[side][number]
        return None if is_unset(view) else view
    return row[code.slots[side]]


def _decision(case: Case, number: int, written: tuple[Change, FieldChange] | None) -> str:
    if written is None:
        return (case.notes or {}).get(number, "unchanged")
    change, field = written
    after = None if field.is_link and is_provisional(field.after) else field.after
    verb = "set" if change.action is Action.CREATE else "write"
    words = f"{verb} {_shown(after)} in {change.direction.target.title()}"
    if field.conflict is None:
        return words
    return f"{words}: both changed, {field.conflict.winner.title()} wins"


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return "empty"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
