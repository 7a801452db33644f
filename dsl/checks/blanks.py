"""CW409: what the other side requires is not blanked."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.flows import Flow, after_ends, flows, words, writes
from dsl.checks.holding import ensures_present
from dsl.diagnostics import Diagnostic
from dsl.fixes import Edit, Fix
from dsl.passes import SyncView
from dsl.program import Call, Constant, Expression, FieldRef, Pair
from dsl.schema import Field, Kind, ObjectType, Side
from dsl.values import is_empty

__all__ = ["blanked"]


def blanked(view: SyncView) -> Iterator[Diagnostic]:
    """A required field that may be written empty."""
    pair = view.pair
    for line in pair.lines:
        if not any(_is_required(end, pair) for end in (line.salesforce, line.outreach)):
            continue
        for flow in flows(line):
            open_to_it = flow.way not in line.prevent_empty and _is_required(flow.target, pair)
            if open_to_it and _may_blank(pair, flow):
                yield _blanks(flow)


def _is_required(end: Expression, pair: Pair) -> bool:
    if not isinstance(end, FieldRef):
        return False
    field = pair.type(end.side).fields.get(end.path)
    return field is not None and field.required


def _may_blank(pair: Pair, flow: Flow) -> bool:
    if _clears(flow):
        return any(True for _ in writes(pair, flow, create=True))
    if not _may_be_empty(flow.source, pair):
        return False
    ways = writes(pair, flow, create=True)
    return any(not ensures_present(conditions, flow.source) for conditions in ways)


def _clears(flow: Flow) -> bool:
    return flow.line.via is not None and flow.line.via.otherwise == "clear"


def _blanks(flow: Flow) -> Diagnostic:
    word = f"prevent empty {flow.way}" if flow.line.arrow == "<->" else "prevent empty"
    source = "unmapped" if _clears(flow) else "empty"
    message = (
        f"an {source} `{words(flow.source.span)}` can blank `{flow.target.path}`, "
        f"which {flow.to} requires"
    )
    fix = Fix(f"add `{word}`", (Edit(after_ends(flow.line), f"  {word}"),))
    return Diagnostic("CW409", message, flow.target.span, f"add `{word}`", fix=fix)


# -- what can be empty --------------------------------------------------------------------------


def _may_be_empty(expression: Expression, pair: Pair) -> bool:
    """Whether a value is known to be one that can be missing."""
    match expression:
        case FieldRef():
            return _is_optional(expression, pair)
        case Constant():
            return is_empty(expression.value)
        case Call(function="concat" | "coalesce", arguments=arguments):
            return all(_may_be_empty(each, pair) for each in arguments)
        case Call(function="length"):
            return False
        case Call(arguments=arguments):
            return _may_be_empty(arguments[0], pair)
    return False


def _is_optional(ref: FieldRef, pair: Pair) -> bool:
    owner, names = pair.type(ref.side), ref.path.split(".")
    field = _first(owner, names[0], ref.dotted)
    if field is None or field.kind in (Kind.UNKNOWN, Kind.BOOLEAN):
        return False
    return field.nillable


def _first(owner: ObjectType, name: str, through: bool) -> Field | None:
    if through and owner.side is Side.SALESFORCE:
        return owner.by_relationship(name)
    return owner.fields.get(name)
