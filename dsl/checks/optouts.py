"""CW408: an opt-out only ever turns on."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.flows import Flow, ends, flows, words, writes
from dsl.checks.holding import ensures_true
from dsl.diagnostics import Diagnostic
from dsl.fixes import Edit, Fix
from dsl.passes import SyncView
from dsl.program import Constant, Expression, FieldRef, Line, Pair, Translation
from dsl.schema import Kind

__all__ = ["opt_out_reversal"]

_FIELDS = frozenset(
    {
        *("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall"),
        *("optedOut", "emailOptedOut", "callOptedOut", "smsOptedOut"),
    }
)
# A custom one is told by its name, where it is known to be a checkbox.
_WORDS = ("optout", "optedout", "unsubscribed", "donotcall", "donotcontact", "donotemail")


def opt_out_reversal(view: SyncView) -> Iterator[Diagnostic]:
    """A line that can write that somebody has not opted out over that they have."""
    for line in view.pair.lines:
        if line.once or not any(_is_opt_out(end) for end in (line.salesforce, line.outreach)):
            continue
        risky = [flow for flow in flows(line) if _is_opt_out(flow.target)]
        risky = [flow for flow in risky if _can_be_false(flow) and _reverses(view.pair, flow)]
        if risky:
            yield _reversal(line, risky)


def _is_opt_out(field: Expression) -> bool:
    if not isinstance(field, FieldRef):
        return False
    if field.path in _FIELDS:
        return True
    name = field.path.replace("_", "").lower()
    return field.kind is Kind.BOOLEAN and any(word in name for word in _WORDS)


def _can_be_false(flow: Flow) -> bool:
    if isinstance(flow.source, Constant):
        return flow.source.value is not True
    via = flow.line.via
    return via is None or not _gives_only_true(via, flow)


def _gives_only_true(via: Translation, flow: Flow) -> bool:
    if flow.way == "inbound":
        given: set[object] = {entry.right for entry in via.inbound.values()}
    else:
        given = {entry.left for entry in via.outbound.values()}
    return via.otherwise == "hold" and given <= {True}


def _reverses(pair: Pair, flow: Flow) -> bool:
    """Whether an update can write what is not true. A new record has no opt-out to lose."""
    updates = writes(pair, flow, create=False)
    return any(not ensures_true(conditions, flow.source) for conditions in updates)


def _reversal(line: Line, risky: list[Flow]) -> Diagnostic:
    where = risky[0].to if len(risky) == 1 else "either system"
    message = f"`{words(ends(line))}` can turn an opt-out back off in {where}"
    if line.arrow != "<->":
        help_text = _one_way_help(risky[0])
        return Diagnostic("CW408", message, ends(line), help_text, fix=_narrowed(risky[0]))
    help_text = "write one line for each direction, as in `{} -> {} when {} = true`".format(
        *(words(span) for span in (line.salesforce.span, line.outreach.span, line.salesforce.span))
    )
    return Diagnostic("CW408", message, ends(line), help_text, fix=_parted(line))


def _one_way_help(flow: Flow) -> str:
    if isinstance(flow.source, Constant):
        return "write `true`, or add `once`"
    needed = f"{words(flow.source.span)} = true"
    return f"let its `when` ask for `{needed}`" if flow.line.when else f"add `when {needed}`"


def _narrowed(flow: Flow) -> Fix | None:
    """A one-way line that writes nothing but `true`."""
    if flow.line.when is not None or isinstance(flow.source, Constant):
        return None
    text = f"{flow.line.span.text}  when {words(flow.source.span)} = true"
    return Fix("let it only turn on", (Edit(flow.line.span, text),))


def _parted(line: Line) -> Fix | None:
    """Two lines in place of one that has no modifiers."""
    if line.span.text != ends(line).text:
        return None
    left, right = words(line.salesforce.span), words(line.outreach.span)
    indent = " " * (line.span.first.column - 1)
    text = f"{left} -> {right} when {left} = true\n{indent}{left} <- {right} when {right} = true"
    return Fix("write one line for each direction", (Edit(line.span, text),))
