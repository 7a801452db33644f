"""Says in the user's own words why terms exclude each other, or leave nothing out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from dsl.evaluate import kind_of
from dsl.logic.reading import is_fixed, key_of
from dsl.program import All, Comparison, Condition, Constant, Empty, Expression, Negation
from dsl.program import Any as AnyOf
from dsl.schema import Kind

__all__ = ["why_always", "why_never"]

_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SIZES = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
_TIMES = {"<": "before", "<=": "at or before", ">": "after", ">=": "at or after"}
_VERBS = {
    "contains": "contain",
    "starts with": "start with",
    "ends with": "end with",
    "matches": "match",
}


class _Reason(Protocol):
    @property
    def why(self) -> str: ...


# What tells why one term never or always holds.
_Teller = Callable[[Condition], _Reason | None]


def why_never(terms: Sequence[Condition], never: _Teller, always: _Teller) -> str:
    """Why the terms cannot hold together."""
    if len(terms) == 1:
        return _alone(terms[0], True, never, always)
    return _of_one_value(terms) or f"{_listed(terms)} exclude each other"


def why_always(terms: Sequence[Condition], never: _Teller, always: _Teller) -> str:
    """Why one of the terms always holds."""
    if len(terms) == 1:
        return _alone(terms[0], False, never, always)
    which = "one of the two" if len(terms) == 2 else "one of them"
    return f"{_listed(terms, 'or')}: {which} holds for every value"


def _alone(term: Condition, never_holds: bool, never: _Teller, always: _Teller) -> str:
    tell, other = (never, always) if never_holds else (always, never)
    match term:
        case Negation(term=inner):
            reason = other(inner)
            if reason:
                return reason.why
        case All(terms=terms) | AnyOf(terms=terms):
            reasons = [reason for each in terms if (reason := tell(each))]
            if reasons:
                return reasons[0].why
        case Comparison():
            return _comparison_alone(term, never_holds)
    return f"`{said(term)}` {'can never hold' if never_holds else 'always holds'}"


def _comparison_alone(term: Comparison, never_holds: bool) -> str:
    if any(isinstance(side, Constant) and side.value == "" for side in _sides(term)):
        if never_holds:
            return "a comparison with an empty value is false: write `is empty`"
        word = f"not {term.operator}" if term.negated else term.operator
        return f"compared with an empty value, `{word}` is always true: write `is present`"
    return f"`{said(term)}` {'can never hold' if never_holds else 'always holds'}"


def _sides(term: Comparison) -> tuple[Expression, ...]:
    rights = term.right if isinstance(term.right, tuple) else (term.right,)
    return (term.left, *rights)


def said(node: Condition | Expression) -> str:
    """A part of a rule as it was written, on one line; a span may leave a parenthesis outside."""
    text = " ".join(node.span.text.split())
    depth = least = 0
    quoted = escaped = False
    for letter in text:
        if quoted:
            quoted, escaped = letter != '"' or escaped, letter == "\\" and not escaped
        else:
            quoted = letter == '"'
            depth += (letter == "(") - (letter == ")")
            least = min(least, depth)
    return "(" * -least + text + ")" * (depth - least)


def _listed(terms: Sequence[Condition], word: str = "and") -> str:
    texts = [f"`{said(term)}`" for term in terms]
    return f"{', '.join(texts[:-1])} {word} {texts[-1]}"


# -- several terms about one value --------------------------------------------------------------


def _of_one_value(terms: Sequence[Condition]) -> str | None:
    if any(isinstance(term, Negation) for term in terms):
        return None  # "cannot not be" reads worse than the terms themselves
    values = [_value(term) for term in terms]
    first = values[0]
    if first is None or any(v is None or key_of(v) != key_of(first) for v in values):
        return None
    name = f"`{said(first)}`"
    if len(terms) == 2 and (blank := _blank(terms, name)):
        return blank
    phrases = [_phrase(term) for term in terms]
    if len(phrases) == 2 and all(isinstance(t, Comparison) and t.operator == "=" for t in terms):
        one, other = (phrase.removeprefix("be ") for phrase in phrases)
        return f"{name} cannot be both {one} and {other}"
    if all(phrase.startswith("be ") for phrase in phrases):
        phrases = [phrases[0], *(phrase.removeprefix("be ") for phrase in phrases[1:])]
    return f"{name} cannot {', '.join(phrases[:-1])} and {phrases[-1]}"


def _blank(terms: Sequence[Condition], name: str) -> str | None:
    """Why a value that is empty cannot be compared with."""
    empty = [t for t in terms if isinstance(t, Empty) and not t.negated]
    other = [t for t in terms if isinstance(t, Comparison)]
    if empty and other:
        return f"{name} is empty, and a comparison with an empty value is false"
    return None


def _value(term: Condition) -> Expression | None:
    """What a term is about, if it is about one value."""
    match term:
        case Empty(operand=operand):
            return operand
        case Comparison(left=left, right=tuple() as rights):
            return left if all(map(is_fixed, rights)) else None
        case Comparison(left=left, right=right):
            if is_fixed(left):
                return right  # type: ignore[return-value]
            return left if is_fixed(right) else None  # type: ignore[arg-type]
    return None


def _phrase(term: Condition) -> str:
    match term:
        case Empty(negated=negated):
            return "be present" if negated else "be empty"
        case Comparison(operator="in", right=tuple() as rights, negated=negated):
            values = ", ".join(map(said, rights))
            return (
                f"be {'none' if negated else 'one'} of {values}"
                if len(rights) > 1
                else (f"be other than {values}" if negated else f"be {values}")
            )
        case Comparison():
            return _compared(term)
    return said(term)


def _compared(term: Comparison) -> str:
    left, right, operator = term.left, term.right, term.operator
    if is_fixed(left):
        left, right, operator = right, left, _FLIPPED.get(operator, operator)  # type: ignore[assignment]
    text = said(right)  # type: ignore[arg-type]
    if operator in _VERBS:
        return f"{'not ' if term.negated else ''}{_VERBS[operator]} {text}"
    if operator == "=":
        return f"be {text}"
    if operator == "!=":
        return f"be other than {text}"
    timed = {kind_of(left), kind_of(right)}.intersection((Kind.DATE, Kind.DATETIME))  # type: ignore[arg-type]
    return f"be {(_TIMES if timed else _SIZES)[operator]} {text}"
