"""Walks what a sync holds: its conditions and lines, each with the types that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dsl import program as p
from dsl.activities import RESOURCES
from dsl.passes import SyncView
from dsl.schema import Field, ObjectType, Schema, Side

__all__ = ["Types", "all_lines", "comparisons", "conditions", "field_of", "refs", "refs_in"]

# The type whose fields each side's names mean; None where no schema knows it.
Types = Mapping[Side, ObjectType | None]


def all_lines(view: SyncView) -> Iterator[tuple[p.Line, Types]]:
    """The field lines of a sync and of its activities."""
    types = _types_of(view)
    for line in view.pair.lines:
        yield line, types
    for rule in view.pair.activities:
        for line in rule.lines:
            yield line, _types_of_activity(view, rule)


def conditions(view: SyncView) -> Iterator[tuple[p.Condition, Types]]:
    """Every condition of a sync: of toggles, lines and activities."""
    types = _types_of(view)
    for toggle in view.pair.toggles.values():
        if toggle.when is not None:
            yield toggle.when, types
    for rule in view.pair.activities:
        if rule.when is not None:
            yield rule.when, _types_of_activity(view, rule)
    for line, around in all_lines(view):
        if line.when is not None:
            yield line.when, around


def _types_of(view: SyncView) -> Types:
    return {Side.SALESFORCE: view.pair.salesforce, Side.OUTREACH: view.pair.outreach}


def _types_of_activity(view: SyncView, rule: p.ActivityRule) -> Types:
    resource = RESOURCES[rule.kind.partition(" ")[0]]
    return {
        Side.SALESFORCE: view.schema.get(Side.SALESFORCE, rule.target),
        Side.OUTREACH: view.schema.get(Side.OUTREACH, resource) if resource else None,
    }


def comparisons(condition: p.Condition) -> Iterator[p.Comparison]:
    """The comparisons that a condition is made of."""
    match condition:
        case p.Comparison():
            yield condition
        case p.All(terms=terms) | p.Any(terms=terms):
            for term in terms:
                yield from comparisons(term)
        case p.Negation(term=term):
            yield from comparisons(term)


def refs(expression: p.Expression) -> Iterator[p.FieldRef]:
    """The fields that an expression reads."""
    if isinstance(expression, p.FieldRef):
        yield expression
    elif isinstance(expression, p.Call):
        for argument in expression.arguments:
            yield from refs(argument)


def refs_in(condition: p.Condition | None) -> Iterator[p.FieldRef]:
    """The fields that a condition reads."""
    match condition:
        case p.Comparison(left=left, right=right):
            for each in (left, *(right if isinstance(right, tuple) else (right,))):
                yield from refs(each)
        case p.All(terms=terms) | p.Any(terms=terms):
            for term in terms:
                yield from refs_in(term)
        case p.Negation(term=term):
            yield from refs_in(term)
        case p.Empty(operand=operand):
            yield from refs(operand)
        case p.Changed(operand=operand):
            yield operand


def field_of(ref: p.FieldRef, types: Types, schema: Schema) -> Field | None:
    """The field that a reference means, where there is no doubt of which type it is."""
    owner = types[ref.side]
    *through, last = ref.path.split(".")
    for word in through:
        reference = owner.by_relationship(word) if owner else None
        if reference is None or len(reference.references) != 1:
            return None
        owner = schema.get(ref.side, reference.references[0])
    return owner.fields.get(last) if owner else None
