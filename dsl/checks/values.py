"""CW205: values that the picklist they are compared with, or written to, does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dsl import program as p
from dsl import syntax as s
from dsl.checks.strings import STRING, escaped, inside, label_spans
from dsl.checks.walk import Types, all_lines, comparisons, conditions, field_of
from dsl.diagnostics import Diagnostic, closest
from dsl.passes import Project, SyncView
from dsl.picklists import MapUse, drifts, has, is_listed, uses_of_maps
from dsl.schema import Field, Kind, ObjectType, Schema, Side
from dsl.source import Span

__all__ = ["mapped_values", "recorded_values", "values"]

_EQUALITY = ("=", "!=", "in")
_MOST_SHOWN = 12


def values(view: SyncView) -> Iterator[Diagnostic]:
    """Values in conditions, and literals that a line writes.

    Outreach's stages are each org's own, and no map names them all: they are taken at their word.
    """
    for condition, types in conditions(view):
        for comparison in comparisons(condition):
            if comparison.operator in _EQUALITY:
                yield from _compared(comparison, types, view.schema)
    for line, types in all_lines(view):
        if line.outbound and line.via is None and not isinstance(line.outreach, p.FieldRef):
            yield from _written(line, types, view.schema)


def recorded_values(record: s.Record, owner: ObjectType, schema: Schema) -> Iterator[Diagnostic]:
    """Values in a test's record that its org refuses."""
    for each in record.fields:
        field = owner.fields.get(each.name.text)
        refused = field is not None and field.restricted and is_listed(field, schema, owner.side)
        if refused and field is not None and isinstance(each.value, s.Literal):
            yield from _not_had(field, each.value, owner.name, exact=True)


def _compared(comparison: p.Comparison, types: Types, schema: Schema) -> Iterator[Diagnostic]:
    left, right = comparison.left, comparison.right
    rights = right if isinstance(right, tuple) else (right,)
    for ref, others in ((left, rights), *((each, (left,)) for each in rights)):
        if isinstance(ref, p.FieldRef) and ref.kind is Kind.TEXT:
            field = field_of(ref, types, schema)
            if field is not None and is_listed(field, schema, ref.side):
                for each in others:
                    yield from _not_had(field, each, _owner(ref, types), exact=False)


def _owner(ref: p.FieldRef, types: Types) -> str:
    owner = types[ref.side]
    return ref.path.rpartition(".")[0] or (owner.name if owner else "")


def _written(line: p.Line, types: Types, schema: Schema) -> Iterator[Diagnostic]:
    target = line.salesforce
    field = field_of(target, types, schema) if isinstance(target, p.FieldRef) else None
    if field is None or not is_listed(field, schema, Side.SALESFORCE):
        return
    assert isinstance(target, p.FieldRef)  # noqa: S101 - or there would be no field
    for each in _results(line.outreach):
        yield from _not_had(field, each, _owner(target, types), exact=True)


def _results(expression: p.Expression) -> Iterator[p.Expression]:
    """The expressions one of which is the value, as it stands."""
    if isinstance(expression, p.Call) and expression.function == "coalesce":
        for argument in expression.arguments:
            yield from _results(argument)
    else:
        yield expression


def _not_had(
    field: Field, value: p.Expression | s.Literal, owner: str, *, exact: bool
) -> Iterator[Diagnostic]:
    if not isinstance(value, p.Constant | s.Literal) or not isinstance(value.value, str):
        return
    if not has(field, value.value, exact=exact):
        yield _unlisted(field, owner, inside(value.span), value.value)


def _unlisted(
    field: Field, owner: str, span: Span, text: str, related: tuple[tuple[Span, str], ...] = ()
) -> Diagnostic:
    near = closest(text, field.picklist)
    if text in field.inactive:
        near, help_text = None, "it was deactivated: records may have it, and none is given it"
    elif near is not None:
        help_text = f"did you mean `{near}`?"
    elif len(field.picklist) <= _MOST_SHOWN:
        help_text = "it has " + ", ".join(f"`{value}`" for value in field.picklist)
    else:
        help_text = f"it has {len(field.picklist)} values, such as `{field.picklist[0]}`"
    message = f"the picklist `{field.name}` of `{owner}` has no value `{text}`"
    suggestion = escaped(near) if near is not None else None
    return Diagnostic("CW205", message, span, help_text, suggestion, related=related)


# -- maps ---------------------------------------------------------------------------------------


def mapped_values(project: Project) -> Iterator[Diagnostic]:
    """Salesforce values of maps. Of several picklists that a map serves one has to have each."""
    uses = uses_of_maps((view.pair for view in project.views), project.schema)
    for users in uses.values():
        via = users[0].line.via
        if via is not None and any(user.field for user in users):
            yield from _in_map(via, users)


def _in_map(via: p.Translation, users: list[MapUse]) -> Iterator[Diagnostic]:
    for drift in drifts(via, users):
        if drift.entry is not None and drift.nowhere and not drift.harmless:
            yield _unmapped(drift.uses[0], label_spans(drift.entry)[0], drift.value)
    written = [user for user in users if user.line.outbound]
    if via.otherwise == "text" and written and all(u.lacks(via.otherwise_text) for u in written):
        yield _unmapped(written[0], _otherwise(via), str(via.otherwise_text))


def _unmapped(user: MapUse, span: Span, text: str) -> Diagnostic:
    assert user.field is not None  # noqa: S101 - a use without a picklist lacks nothing
    related = ((user.line.span, "the map is used here"),)
    return _unlisted(user.field, user.owner, span, text, related)


_OTHERWISE = re.compile(rf"\botherwise\s+({STRING})|{STRING}|#[^\n]*")


def _otherwise(via: p.Translation) -> Span:
    for found in _OTHERWISE.finditer(via.span.text):
        if found[1]:
            start, end = found.span(1)
            literal = via.span._replace(start=via.span.start + start, end=via.span.start + end)
            return inside(literal)
    return via.span
