"""Resolves the names in conditions and expressions, and checks what they are compared with."""

from __future__ import annotations

from datetime import date, datetime

from dsl import program as p
from dsl import syntax as s
from dsl.diagnostics import Diagnostic, closest
from dsl.paths import Scope, resolve_path
from dsl.schema import Kind
from dsl.types import FUNCTIONS, call_kind, check_call, check_comparison

__all__ = ["constant", "resolve_condition", "resolve_expression"]


def constant(literal: s.Literal) -> p.Constant:
    """A written value with its kind."""
    return p.Constant(literal.span, literal.value, _kind(literal.value))


def _kind(value: object) -> Kind:
    match value:
        case bool():
            return Kind.BOOLEAN
        case int() | float():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
        case datetime():
            return Kind.DATETIME
        case date():
            return Kind.DATE
        case tuple():
            return Kind.LIST
    return Kind.UNKNOWN


def resolve_expression(
    node: s.Expression, scope: Scope, found: list[Diagnostic]
) -> p.Expression | None:
    """The expression with its names resolved; None, and findings, if one could not be."""
    match node:
        case s.Path():
            return resolve_path(node, scope, found)
        case s.Literal():
            return constant(node)
        case s.Moment():
            return p.Moment(node.span, node.word)
        case s.Ago():
            return p.Ago(node.span, node.seconds)
        case s.Call():
            return _call(node, scope, found)


def _call(node: s.Call, scope: Scope, found: list[Diagnostic]) -> p.Call | None:
    arguments = [resolve_expression(a, scope, found) for a in node.arguments]
    name = node.function.text
    function = FUNCTIONS.get(name)
    if function is None:
        near = closest(name, FUNCTIONS)
        known = "the functions are " + ", ".join(f"`{each}`" for each in FUNCTIONS)
        help_text = f"did you mean `{near}`?" if near else known
        message = f"unknown function `{name}`"
        found.append(Diagnostic("CW209", message, node.function.span, help_text, near))
        return None
    count = len(arguments)
    if count < function.least or (function.most is not None and count > function.most):
        least = function.least
        wanted = f"{least} argument{'' if least == 1 else 's'}"
        wanted = wanted if function.most else f"at least {wanted}"
        message = f"`{name}` takes {wanted}, and {count or 'none'} stand here"
        found.append(Diagnostic("CW209", message, node.span))
        return None
    good = tuple(a for a in arguments if a is not None)
    if len(good) < count:
        return None
    wrong = list(check_call(name, good))
    found += wrong
    return None if wrong else p.Call(node.span, name, good, call_kind(name, good))


def resolve_condition(
    node: s.Condition, scope: Scope, found: list[Diagnostic]
) -> p.Condition | None:
    """The condition with its names resolved; None, and findings, if a part could not be."""
    match node:
        case s.Compare():
            return _comparison(node, scope, found)
        case s.AllOf() | s.AnyOf():
            terms = [resolve_condition(term, scope, found) for term in node.terms]
            good = tuple(term for term in terms if term is not None)
            if len(good) < len(terms):
                return None
            return (p.All if isinstance(node, s.AllOf) else p.Any)(node.span, good)
        case s.Not():
            term = resolve_condition(node.term, scope, found)
            return None if term is None else p.Negation(node.span, term)
        case s.Emptiness():
            operand = resolve_expression(node.operand, scope, found)
            return None if operand is None else p.Empty(node.span, operand, node.negated)
        case s.Changed():
            return _changed(node, scope, found)


def _changed(node: s.Changed, scope: Scope, found: list[Diagnostic]) -> p.Changed | None:
    operand = resolve_expression(node.operand, scope, found)
    if operand is None or isinstance(operand, p.FieldRef):
        return None if operand is None else p.Changed(node.span, operand)
    text = " ".join(operand.span.text.split())
    message = f"`changed` asks about a field, and `{text}` is none"
    found.append(Diagnostic("CW203", message, operand.span))
    return None


def _comparison(node: s.Compare, scope: Scope, found: list[Diagnostic]) -> p.Comparison | None:
    left = resolve_expression(node.left, scope, found)
    right: p.Expression | tuple[p.Expression, ...] | None
    if isinstance(node.right, tuple):
        elements = [resolve_expression(each, scope, found) for each in node.right]
        good = tuple(each for each in elements if each is not None)
        right = good if len(good) == len(elements) else None
    else:
        right = resolve_expression(node.right, scope, found)
    if left is None or right is None:
        return None
    comparison = p.Comparison(node.span, left, node.operator, node.negated, right)
    wrong = list(check_comparison(comparison))
    found += wrong
    return None if wrong else comparison
