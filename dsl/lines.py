"""Resolves field lines, and says which targets cannot be written."""

from __future__ import annotations

from dataclasses import dataclass

from dsl import program as p
from dsl import syntax as s
from dsl.conditions import resolve_condition, resolve_expression
from dsl.diagnostics import Diagnostic
from dsl.names import Names
from dsl.paths import Scope, find_field, title_of
from dsl.schema import Field, Kind, ObjectType, Schema, Side
from dsl.source import Source, Span
from dsl.types import check_flow

__all__ = ["LineContext", "resolve_line"]


@dataclass(frozen=True)
class LineContext:
    """What a field line stands in: the two types, and the names it may use.

    `linked` are the pairs of types that the project syncs. With `activity`, the line is of an
    activity: written once, to Salesforce only.
    """

    schema: Schema
    names: Names
    salesforce: ObjectType
    outreach: ObjectType | None
    linked: frozenset[tuple[str, str]]
    variables: frozenset[str] = frozenset()
    activity: bool = False

    def scope(self, default: Side | None, *, only: bool = False) -> Scope:
        return Scope(self.schema, self.salesforce, self.outreach, default, self.variables, only)


def resolve_line(node: s.FieldLine, context: LineContext, found: list[Diagnostic]) -> p.Line | None:
    """The line with its names resolved; None, and findings, if something is wrong with it."""
    before = len(found)
    left = resolve_expression(node.left, context.scope(Side.SALESFORCE, only=True), found)
    right = resolve_expression(node.right, context.scope(Side.OUTREACH, only=True), found)
    if left is None and right is None and _is_swapped(node, context):
        del found[before:]
        found.append(_swapped(node))
    line = _with_modifiers(node, left or _NOTHING, right or _NOTHING, context, found)
    if left is None or right is None:
        return None
    if context.activity and line.inbound:
        message = "an activity's lines only write to Salesforce"
        found.append(Diagnostic("CW204", message, node.arrow_span, "write `<-`", "<-"))
    else:
        _check_targets(line, context, found)
    if len(found) == before:
        _check_flows(line, context, found)
    return line if len(found) == before else None


def _is_swapped(node: s.FieldLine, context: LineContext) -> bool:
    """Whether both ends are fields, of the other side each."""
    if not isinstance(node.left, s.Path) or not isinstance(node.right, s.Path):
        return False
    left, right = (tuple(n.text for n in end.names) for end in (node.left, node.right))
    as_outreach = find_field(context.schema, context.outreach, left)
    return bool(as_outreach and find_field(context.schema, context.salesforce, right))


def _swapped(node: s.FieldLine) -> Diagnostic:
    left, right = node.left.span.text, node.right.span.text
    arrow = {"->": "<-", "<-": "->"}.get(node.arrow, node.arrow)
    message = f"the two ends stand the wrong way round: `{left}` is Outreach's"
    turned = f"{right} {arrow} {left}"
    span = node.left.span.to(node.right.span)
    return Diagnostic("CW202", message, span, f"write `{turned}`", turned)


_NOTHING = p.Constant(Span(Source("", ""), 0, 0), None, Kind.UNKNOWN)


def _with_modifiers(
    node: s.FieldLine,
    left: p.Expression,
    right: p.Expression,
    context: LineContext,
    found: list[Diagnostic],
) -> p.Line:
    prevent: set[str] = set()
    via = prefer = condition = None
    once = False
    for modifier in node.modifiers:
        match modifier:
            case s.PreventEmpty():
                both = ("inbound", "outbound")
                prevent.update(both if modifier.direction is None else (modifier.direction,))
            case s.Via():
                via = via or context.names.map(modifier.name, found)
            case s.Prefer():
                prefer = prefer or p.Policy(modifier.policy)
            case s.Once():
                once = True
            case s.When():
                scope = context.scope(_source_side(node.arrow))
                condition = condition or resolve_condition(modifier.condition, scope, found)
    return p.Line(
        node.span, left, node.arrow, right, frozenset(prevent), via, prefer, once, condition
    )


def _source_side(arrow: s.Arrow) -> Side | None:
    if arrow == "<->":
        return None
    return Side.SALESFORCE if arrow == "->" else Side.OUTREACH


# -- targets ------------------------------------------------------------------------------------


def _check_targets(line: p.Line, context: LineContext, found: list[Diagnostic]) -> None:
    for side, written in ((Side.SALESFORCE, line.outbound), (Side.OUTREACH, line.inbound)):
        if written:
            wrong = _unwritable(line.end(side), side, line, context)
            if wrong:
                found.append(wrong)


def _unwritable(
    end: p.Expression, side: Side, line: p.Line, context: LineContext
) -> Diagnostic | None:
    text = " ".join(end.span.text.split())
    one_way = "->" if side is Side.SALESFORCE else "<-"
    hint = f"read it one way, with `{one_way}`" if line.arrow == "<->" else None
    if not isinstance(end, p.FieldRef):
        what = "a value" if isinstance(end, p.Constant) else "an expression"
        message = f"`{text}` is {what}, and only a field can be written"
        return Diagnostic("CW204", message, end.span, hint)
    if end.dotted:
        message = (
            f"`{text}` belongs to another record, and only the record's own fields are written"
        )
        return Diagnostic("CW204", message, end.span, hint)
    owner = context.salesforce if side is Side.SALESFORCE else context.outreach
    field = find_field(context.schema, owner, (end.path,))
    if field is None or field.kind is Kind.UNKNOWN or owner is None:
        return None
    if field.many and field.kind is Kind.LIST and (line.outbound or line.via or line.once):
        message = f"`{text}` holds many records, to which a line can only add one"
        way = f"write `{line.salesforce.span.text} -> {text}`, without `via` and `once`"
        return Diagnostic("CW204", message, end.span, way)
    if field.updateable or (field.createable and (line.once or context.activity)):
        return None
    return _read_only(end, field, owner, hint)


def _read_only(end: p.FieldRef, field: Field, owner: ObjectType, hint: str | None) -> Diagnostic:
    if field.createable:
        message = f"`{end.path}` of `{owner.name}` can only be written as the record is created"
        return Diagnostic("CW204", message, end.span, "add `once` to the line")
    system = title_of(owner.side)
    message = f"`{end.path}` of `{owner.name}` is read-only in {system}"
    if field.kind is Kind.OBJECT:
        message = f"`{end.path}` of `{owner.name}` is made of other fields, which {system} writes"
        hint = "map its parts"
    elif end.path in ("Name", "name") and {"FirstName", "firstName"} & owner.fields.keys():
        hint = "write its parts, the first and the last name"
    return Diagnostic("CW204", message, end.span, hint)


def _check_flows(line: p.Line, context: LineContext, found: list[Diagnostic]) -> None:
    if line.via is not None:
        return  # a map makes both ends text
    ends = ((line.salesforce, line.outreach, line.inbound),)
    for source, target, flows in (*ends, (line.outreach, line.salesforce, line.outbound)):
        if flows and isinstance(target, p.FieldRef):
            span = line.salesforce.span.to(line.outreach.span)
            wrong = check_flow(source, target, span, context.linked)
            if wrong:
                found.append(wrong)
                return
