"""What conditions read, and what can be relied on where they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsl.logic import never
from dsl.program import (
    All,
    Any,
    Call,
    Changed,
    Comparison,
    Condition,
    Constant,
    Empty,
    Expression,
    FieldRef,
    Negation,
)
from dsl.schema import Kind

__all__ = ["ensures_present", "ensures_true", "reads"]


def reads(node: Condition | Expression) -> Iterator[FieldRef]:
    """The fields that a condition or expression reads."""
    match node:
        case FieldRef():
            yield node
        case All(terms=inner) | Any(terms=inner) | Call(arguments=inner):
            for each in inner:
                yield from reads(each)
        case Negation(term=one) | Empty(operand=one) | Changed(operand=one):
            yield from reads(one)
        case Comparison(left=left, right=right):
            for each in (left, *(right if isinstance(right, tuple) else (right,))):
                yield from reads(each)


def ensures_true(conditions: Sequence[Condition], source: Expression) -> bool:
    """Whether the source is true wherever all the conditions hold."""
    span = source.span
    true = Comparison(span, source, "=", False, Constant(span, True, Kind.BOOLEAN))
    return _ensures(conditions, source, Negation(span, true))


def ensures_present(conditions: Sequence[Condition], source: Expression) -> bool:
    """Whether the source has a value wherever all the conditions hold."""
    return _ensures(conditions, source, Empty(source.span, source, False))


def _ensures(conditions: Sequence[Condition], source: Expression, opposite: Condition) -> bool:
    """Whether the opposite of what is asked excludes the conditions."""
    fields = {(ref.side, ref.path) for ref in reads(source)}
    asked = (ref for condition in conditions for ref in reads(condition))
    about = any((ref.side, ref.path) in fields for ref in asked)
    return about and never(*conditions, opposite) is not None
