"""Which kinds of values go together: in a condition, from field to field, in a function."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

from dsl.diagnostics import Diagnostic
from dsl.program import (
    Call,
    Comparison,
    Constant,
    Expression,
    FieldRef,
    Moment,
)
from dsl.schema import Kind, Side, is_custom
from dsl.source import Span
from dsl.values import instant

__all__ = [
    "COUNTERPARTS",
    "FUNCTIONS",
    "Function",
    "call_kind",
    "check_call",
    "check_comparison",
    "check_flow",
    "check_match",
    "kind_of",
]

_TEXTUAL = frozenset({Kind.TEXT, Kind.ID, Kind.REFERENCE, Kind.LIST})
_TIMES = frozenset({Kind.DATE, Kind.DATETIME})
_VAGUE = frozenset({Kind.UNKNOWN, Kind.OBJECT})
_ORDER = frozenset({"<", "<=", ">", ">="})
_ON_TEXT = frozenset({"contains", "starts with", "ends with", "matches"})

# References that the links between synced records translate. A reference to anything else (a
# stage, a disposition) is compared by its name.
_LINKED = frozenset(
    {
        *("User", "Account", "Contact", "Lead", "Opportunity", "Group"),
        *("user", "account", "prospect", "opportunity"),
    }
)
# Pairs of types that are the same thing on both sides, synced by this project or not.
COUNTERPARTS = frozenset(
    {
        ("User", "user"),
        ("Account", "account"),
        ("Lead", "prospect"),
        ("Contact", "prospect"),
        ("Opportunity", "opportunity"),
    }
)


@dataclass(frozen=True, slots=True)
class Function:
    """How many arguments a function takes (`most` of None: any number), and what it gives."""

    least: int
    most: int | None
    kind: Kind


FUNCTIONS = {
    "lower": Function(1, 1, Kind.TEXT),
    "upper": Function(1, 1, Kind.TEXT),
    "trim": Function(1, 1, Kind.TEXT),
    "concat": Function(1, None, Kind.TEXT),
    "coalesce": Function(1, None, Kind.UNKNOWN),
    "replace": Function(3, 3, Kind.TEXT),
    "left": Function(2, 2, Kind.TEXT),
    "right": Function(2, 2, Kind.TEXT),
    "length": Function(1, 1, Kind.NUMBER),
    "number": Function(1, 1, Kind.NUMBER),
    "text": Function(1, 1, Kind.TEXT),
    "date": Function(1, 1, Kind.DATE),
    "datetime": Function(1, 1, Kind.DATETIME),
}


def kind_of(expression: Expression) -> Kind:
    """What sort of value an expression gives."""
    if isinstance(expression, FieldRef | Constant | Call):
        return expression.kind
    if isinstance(expression, Moment) and expression.word == "today":
        return Kind.DATE
    return Kind.DATETIME


def _is_link_list(expression: Expression) -> TypeGuard[FieldRef]:
    return (
        isinstance(expression, FieldRef)
        and expression.kind is Kind.LIST
        and bool(expression.references)
    )


_WORDS = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "a boolean",
    Kind.DATE: "a date",
    Kind.DATETIME: "a date-time",
    Kind.REFERENCE: "a reference",
    Kind.ID: "an id",
    Kind.LIST: "a list",
    Kind.OBJECT: "a compound value",
    Kind.UNKNOWN: "of a type not known here",
}


def _said(expression: Expression) -> str:
    """An expression in the user's own words, with what it is."""
    text = " ".join(expression.span.text.split())
    if _is_link_list(expression):
        return f"`{text}` holds records of {_either(expression.references)}"
    if isinstance(expression, FieldRef) and expression.kind is Kind.REFERENCE:
        return f"`{text}` is a reference to {_either(expression.references)}"
    return f"`{text}` is {_WORDS[kind_of(expression)]}"


def _either(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in names) or "a record"


# -- conditions ---------------------------------------------------------------------------------


def check_comparison(comparison: Comparison) -> Iterable[Diagnostic]:
    """CW203 for operands that can never be compared in earnest."""
    left, operator = comparison.left, comparison.operator
    rights = comparison.right if isinstance(comparison.right, tuple) else (comparison.right,)
    kind = kind_of(left)
    if operator in _ON_TEXT and kind not in _TEXTUAL | _VAGUE:
        message = f"{_said(left)}, and `{operator}` looks into text"
        yield Diagnostic("CW203", message, left.span, _instead(operator, kind))
        return
    if operator in _ORDER and Kind.BOOLEAN in (kind, kind_of(rights[0])):
        which = left if kind is Kind.BOOLEAN else rights[0]
        message = f"{_said(which)}, and `{operator}` compares by size"
        yield Diagnostic("CW203", message, which.span, "booleans compare with `=` and `!=`")
        return
    for right in rights:
        if operator in _ON_TEXT:
            fits = kind_of(right) in _TEXTUAL | _VAGUE
        else:
            fits = _comparable(left, right)
        if not fits:
            message = f"{_said(left)}, and {_said(right)}: they are never equal"
            if operator in _ORDER:
                message = f"{_said(left)}, and {_said(right)}: neither is before the other"
            elif operator in _ON_TEXT:
                message = f"{_said(right)}, and `{operator}` looks for text"
            yield Diagnostic("CW203", message, right.span, _hint(left, right))


def _instead(operator: str, kind: Kind) -> str | None:
    if kind is Kind.BOOLEAN:
        return "compare it with `= true` or `= false`"
    if kind in _TIMES:
        return "compare it with `<`, `>` or `=`"
    return "make it text first, as in `text(…)`" if operator else None


def _comparable(left: Expression, right: Expression) -> bool:
    a, b = kind_of(left), kind_of(right)
    if a in _VAGUE or b in _VAGUE:
        return True
    for this, that in ((left, b), (right, a)):
        if that in _TIMES and isinstance(this, Constant) and isinstance(this.value, str):
            return instant(this.value) is not None
        if that is Kind.NUMBER and kind_of(this) in (Kind.ID, Kind.REFERENCE):
            return True
    return _group(a) == _group(b)


def _group(kind: Kind) -> str:
    if kind in _TEXTUAL:
        return "text"
    return "time" if kind in _TIMES else kind.value


def _hint(left: Expression, right: Expression) -> str | None:
    if not isinstance(right, Constant):
        return None
    kind = kind_of(left)
    if kind is Kind.BOOLEAN and str(right.value).lower() in ("true", "false", "yes", "no"):
        word = "true" if str(right.value).lower() in ("true", "yes") else "false"
        return f"write `{word}`, without quotes" if word == right.value else f"write `{word}`"
    if kind is Kind.NUMBER and isinstance(right.value, str) and _is_number(right.value):
        return f"write `{right.value.strip()}`, without quotes"
    if kind in _TIMES:
        return "a date is written `2026-11-23`, a date-time `2026-11-23T09:30:00Z`"
    if kind in _TEXTUAL and isinstance(right.value, int | float):
        return f'write it in quotes: `"{right.span.text}"`'
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# -- field to field -----------------------------------------------------------------------------


def check_flow(
    source: Expression, target: FieldRef, span: Span, linked: frozenset[tuple[str, str]]
) -> Diagnostic | None:
    """CW203 if what `source` gives cannot become a value of `target`.

    `linked` are the pairs of types that this project syncs, Salesforce's first.
    """
    a, b = kind_of(source), target.kind
    if not _is_link_list(source) and Kind.UNKNOWN in (a, b):
        return None
    if a is Kind.OBJECT or _is_link_list(source):
        message = f"`{source.span.text}` is {_WORDS[a]}, which one field cannot hold"
        help_text = "map its parts" if a is Kind.OBJECT else None
        return Diagnostic("CW203", message, span, help_text)
    if _is_link_list(target) and a is not Kind.REFERENCE:
        return _mismatch(source, target, span)
    if a is Kind.REFERENCE and (b is Kind.REFERENCE or _is_link_list(target)):
        same = not isinstance(source, FieldRef) or _same_thing(source, target, linked)
        return None if same else _mismatch(source, target, span)
    if b in (Kind.TEXT, Kind.LIST, Kind.ID) or _convertible(a, b, source, target):
        return None
    return _mismatch(source, target, span)


def _convertible(a: Kind, b: Kind, source: Expression, target: FieldRef) -> bool:
    if a is b or (a in _TIMES and b in _TIMES):
        return True
    if b is Kind.REFERENCE:
        by_id = a is Kind.ID or (a is Kind.NUMBER and target.side is Side.OUTREACH)
        return by_id or (a in _TEXTUAL and not _LINKED.issuperset(target.references))
    if a in _TEXTUAL:
        # Outreach's own custom fields are all text, whatever people keep in them.
        if isinstance(source, Constant):
            return _reads_as(source.value, b)
        customs = (end for end in (source, target) if isinstance(end, FieldRef))
        return any(is_custom(end.side, end.path) for end in customs)
    return False


def _reads_as(value: object, kind: Kind) -> bool:
    text = str(value)
    if kind is Kind.NUMBER:
        return _is_number(text)
    return kind in _TIMES and instant(text) is not None


def _same_thing(source: FieldRef, target: FieldRef, linked: frozenset[tuple[str, str]]) -> bool:
    left, right = (source, target) if source.side is Side.SALESFORCE else (target, source)
    if not left.references or not right.references:
        return True
    known = linked | COUNTERPARTS
    for a in left.references:
        for b in right.references:
            if (a, b) in known or (a not in _LINKED and b not in _LINKED):
                return True
    return False


def _mismatch(source: Expression, target: FieldRef, span: Span) -> Diagnostic:
    message = f"{_said(source)}, and {_said(target)}: the one cannot become the other"
    help_text = None
    if kind_of(source) in _TEXTUAL and target.kind is Kind.NUMBER:
        help_text = f"`number({source.span.text})` reads a number from text, one way"
    return Diagnostic("CW203", message, span, help_text)


def check_match(left: FieldRef, right: FieldRef, span: Span) -> Diagnostic | None:
    """CW203 for two fields by which records can never find each other."""
    custom = is_custom(left.side, left.path) or is_custom(right.side, right.path)
    if custom or _comparable(left, right):
        return None
    message = f"{_said(left)}, and {_said(right)}: they never match"
    return Diagnostic("CW203", message, span)


# -- functions ----------------------------------------------------------------------------------


def check_call(name: str, arguments: tuple[Expression, ...]) -> Iterable[Diagnostic]:
    """CW203 for arguments that a function can make nothing of."""
    for index, argument in enumerate(arguments):
        kind = kind_of(argument)
        if kind in _VAGUE:
            continue
        if name in ("left", "right") and index == 1:
            fits, wanted = kind is Kind.NUMBER, "a number of characters"
        elif name in ("date", "datetime"):
            fits, wanted = kind in _TIMES or kind in _TEXTUAL, "text or a date"
        elif name == "number":
            fits, wanted = kind is Kind.NUMBER or kind in _TEXTUAL, "text or a number"
        else:
            continue
        if not fits:
            message = f"{_said(argument)}, and `{name}` takes {wanted}"
            yield Diagnostic("CW203", message, argument.span)


def call_kind(name: str, arguments: tuple[Expression, ...]) -> Kind:
    """What a call gives; `coalesce` gives what its arguments are, where they agree."""
    if name == "coalesce":
        kinds = {kind_of(argument) for argument in arguments}
        return kinds.pop() if len(kinds) == 1 else Kind.UNKNOWN
    return FUNCTIONS[name].kind
