"""A condition with the value of each of its terms, and what each term met."""

from __future__ import annotations

from typing import Any

from dsl import program as ir
from dsl.evaluate import Context, evaluate
from dsl.schema import Side
from dsl.values import canonical
from engine.case import Case
from engine.columns import fields_in, line_of

__all__ = ["condition_of"]


def condition_of(condition: ir.Condition, case: Case, value: bool) -> dict[str, Any]:
    """`text`, `value` (as the engine decided it) and `terms`, each with the values it met."""
    context = Context(
        lambda ref: _read(case, ref), lambda ref: _changed(case, ref), case.now, case.mapping.zone
    )
    terms = condition.terms if isinstance(condition, ir.All | ir.Any) else (condition,)
    return {
        "text": _text(condition),
        "value": value,
        "terms": [_term(term, case, context) for term in terms],
    }


def _term(term: ir.Condition, case: Case, context: Context) -> dict[str, Any]:
    told: dict[str, Any] = {"text": _text(term), "value": evaluate(term, context)}
    match term:
        case ir.All(terms=parts) | ir.Any(terms=parts):
            told["terms"] = [_term(part, case, context) for part in parts]
        case ir.Negation(term=part):
            told["terms"] = [_term(part, case, context)]
        case _:
            told["met"] = {ref.path: _read(case, ref) for ref in fields_in(term)}
    return told


def _text(condition: ir.Condition) -> str:
    return " ".join(condition.span.text.split())


def _read(case: Case, ref: ir.FieldRef) -> Any:
    row = case.rows.get(ref.side)
    return None if row is None else row[case.mapping.slot(ref.side, ref.path)]


def _changed(case: Case, ref: ir.FieldRef) -> bool:
    """Whether a field differs from the value last synced, or has none."""
    if case.bases is None:
        return True
    mapping = case.mapping
    line = line_of(mapping.pair, ref)
    key = f"changed {ref.side}.{ref.path}"
    position = mapping.keys.index(key) if line is None else line
    base = case.base(Side(ref.side), position)
    return bool(base != canonical(ref.kind, ref.is_email)(_read(case, ref)))
