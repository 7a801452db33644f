"""What can be relied on where some conditions hold."""

from __future__ import annotations

from collections.abc import Sequence

from dsl.program import All, Any, Comparison, Condition, Constant, Empty, Expression, FieldRef

__all__ = ["ensures_present", "ensures_true"]


def ensures_true(conditions: Sequence[Condition], source: Expression) -> bool:
    """Whether the source is true wherever all the conditions hold."""
    return any(_says_true(each, source) for each in conditions)


def ensures_present(conditions: Sequence[Condition], source: Expression) -> bool:
    """Whether the source has a value wherever all the conditions hold."""
    return any(_says_present(each, source) for each in conditions)


def _says_true(condition: Condition, source: Expression) -> bool:
    match condition:
        case All(_, terms):
            return any(_says_true(term, source) for term in terms)
        case Any(_, terms):
            return bool(terms) and all(_says_true(term, source) for term in terms)
        case Comparison(_, left, "=", False, Constant(_, True)) if _same(left, source):
            return True
    return False


def _says_present(condition: Condition, source: Expression) -> bool:
    match condition:
        case All(_, terms):
            return any(_says_present(term, source) for term in terms)
        case Any(_, terms):
            return bool(terms) and all(_says_present(term, source) for term in terms)
        case Empty(_, operand, True):
            return _same(operand, source)
        case Comparison(_, left, operator, False, _) if operator != "!=":
            # A comparison with an empty operand is false.
            return _same(left, source)
    return False


def _same(one: Expression, other: Expression) -> bool:
    both = isinstance(one, FieldRef) and isinstance(other, FieldRef)
    return both and (one.side, one.path) == (other.side, other.path)  # type: ignore[union-attr]
