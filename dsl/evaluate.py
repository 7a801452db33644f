"""The plain evaluator: the definition of what conditions and expressions mean.

Compiled conditions, pushed-down ones and the linter's reasoning are all tested against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from dsl.program import (
    Ago,
    All,
    Call,
    Changed,
    Comparison,
    Computed,
    Condition,
    Constant,
    Empty,
    Expression,
    FieldRef,
    Moment,
    Negation,
)
from dsl.program import Any as AnyOf
from dsl.schema import Kind
from dsl.values import first, instant, is_empty, stamp, to_number, to_text

__all__ = ["FUNCTIONS", "Context", "compare", "contains_match", "evaluate", "value_of"]


@dataclass(frozen=True)
class Context:
    """What a condition reads: the records, the values last synced, and the time.

    `read` gives a field's value (None where the other side is not there), `changed` whether it
    differs from the value last synced. `zone` is the project's: a date is its midnight there.
    """

    read: Callable[[FieldRef], Any]
    changed: Callable[[FieldRef], bool]
    now: datetime
    zone: tzinfo = UTC


# -- functions ----------------------------------------------------------------------------------


def _on_text(function: Callable[[str], Any]) -> Callable[..., Any]:
    def call(value: Any, _zone: tzinfo) -> Any:
        text = to_text(value)
        return None if text is None else function(text)

    return call


def _concat(*arguments: Any) -> str:
    *values, _zone = arguments
    return "".join(to_text(v) or "" for v in values)


def _coalesce(*arguments: Any) -> Any:
    *values, _zone = arguments
    return next((v for v in values if not is_empty(v)), None)


def _replace(text: Any, old: Any, new: Any, _zone: tzinfo) -> Any:
    found, wanted = to_text(text), to_text(old)
    return found if not found or not wanted else found.replace(wanted, to_text(new) or "")


def _left(text: Any, count: Any, _zone: tzinfo) -> Any:
    found = to_text(text)
    return None if found is None else found[: max(int(to_number(count) or 0), 0)]


def _right(text: Any, count: Any, _zone: tzinfo) -> Any:
    found, size = to_text(text), max(int(to_number(count) or 0), 0)
    return None if found is None else found[len(found) - min(size, len(found)) :]


def _length(value: Any, _zone: tzinfo) -> int:
    return len(value) if isinstance(value, list) else len(to_text(value) or "")


def _date(value: Any, zone: tzinfo) -> str | None:
    moment = instant(first(value), zone)
    return moment.astimezone(zone).date().isoformat() if moment else None


def _datetime(value: Any, zone: tzinfo) -> str | None:
    moment = instant(first(value), zone)
    return stamp(moment) if moment else None


#: The functions of the language. Each takes its arguments' values and, last, the project's zone.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lower": _on_text(str.lower),
    "upper": _on_text(str.upper),
    "trim": _on_text(str.strip),
    "concat": _concat,
    "coalesce": _coalesce,
    "replace": _replace,
    "left": _left,
    "right": _right,
    "length": _length,
    "number": lambda value, _zone: to_number(value),
    "text": lambda value, _zone: to_text(value),
    "date": _date,
    "datetime": _datetime,
}


# -- expressions --------------------------------------------------------------------------------


def value_of(expression: Expression, context: Context) -> Any:
    """An expression's value, in the form that stores use (dates as ISO text)."""
    match expression:
        case FieldRef():
            return context.read(expression)
        case Constant(value=value, kind=Kind.DATETIME):
            return stamp(value)  # type: ignore[arg-type]
        case Constant(value=value, kind=Kind.DATE):
            return value.isoformat()  # type: ignore[attr-defined]
        case Constant(value=value):
            return value
        case Moment(word="today"):
            return context.now.astimezone(context.zone).date().isoformat()
        case Moment():
            return stamp(context.now)
        case Ago(seconds=seconds):
            return stamp(context.now - timedelta(seconds=seconds))
        case Call(function=name, arguments=arguments):
            return FUNCTIONS[name](*(value_of(a, context) for a in arguments), context.zone)
        case Computed(arguments=fields, compute=compute):
            return compute(*(context.read(field) for field in fields), context.zone)


def kind_of(expression: Expression) -> Kind:
    """The kind of an expression's value."""
    match expression:
        case FieldRef(kind=kind) | Constant(kind=kind) | Call(kind=kind) | Computed(kind=kind):
            return kind
        case Moment(word="today"):
            return Kind.DATE
        case Moment() | Ago():
            return Kind.DATETIME


# -- conditions ---------------------------------------------------------------------------------

_TEMPORAL = (Kind.DATE, Kind.DATETIME)


def evaluate(condition: Condition, context: Context) -> bool:
    """Whether the condition holds: two truth values, never a third."""
    match condition:
        case All(terms=terms):
            return all(evaluate(t, context) for t in terms)
        case AnyOf(terms=terms):
            return any(evaluate(t, context) for t in terms)
        case Negation(term=term):
            return not evaluate(term, context)
        case Empty(operand=operand, negated=negated):
            return is_empty(value_of(operand, context)) != negated
        case Changed(operand=operand):
            return context.changed(operand)
        case Comparison():
            return _comparison(condition, context)


def _comparison(condition: Comparison, context: Context) -> bool:
    left = value_of(condition.left, context)
    rights = condition.right if isinstance(condition.right, tuple) else (condition.right,)
    answers = [
        compare(
            condition.operator if condition.operator != "in" else "=",
            left,
            value_of(right, context),
            any(kind_of(e) in _TEMPORAL for e in (condition.left, right)),
            context.zone,
        )
        for right in rights
    ]
    if condition.operator == "in":
        # A value of another type is simply not in the list.
        return any(a is True for a in answers) != condition.negated
    (answer,) = answers
    if answer is None:
        return False
    return answer != condition.negated


def compare(operator: str, left: Any, right: Any, temporal: bool, zone: tzinfo) -> bool | None:
    """One comparison; None where the two are of different types.

    `temporal` says that one of them is a date or a date-time: then texts are read as such. A list
    compares by any of its elements, so `!=` holds where no element is equal.
    """
    if operator == "!=":
        equal = compare("=", left, right, temporal, zone)
        return None if equal is None else not equal
    if is_empty(left) or is_empty(right):
        return False
    if isinstance(left, list):
        answers = [compare(operator, v, right, temporal, zone) for v in left]
        return None if all(a is None for a in answers) else any(answers)
    if isinstance(right, list):
        answers = [compare(operator, left, v, temporal, zone) for v in right]
        return None if all(a is None for a in answers) else any(answers)
    if operator in _TEXT_OPERATORS:
        if not isinstance(left, str) or not isinstance(right, str):
            return None
        return _TEXT_OPERATORS[operator](left, right)
    pair = _comparable(left, right, temporal, zone)
    if pair is None or (isinstance(pair[0], bool) and operator != "="):
        return None
    return _ORDER[operator](*pair)


def _comparable(left: Any, right: Any, temporal: bool, zone: tzinfo) -> tuple[Any, Any] | None:
    if temporal:
        one, two = instant(left, zone), instant(right, zone)
        return None if one is None or two is None else (one, two)
    if isinstance(left, bool) or isinstance(right, bool):
        return (left, right) if isinstance(left, bool) and isinstance(right, bool) else None
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold(), right.casefold()
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left, right
    return None


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    """A compiled regular expression with linear-time matching, or None if it is invalid."""
    import re2  # noqa: PLC0415 - only rules with `matches` pay for it

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        return re2.compile(text, options=options)
    except re2.error:
        return None


def contains_match(text: str, pattern: str) -> bool:
    """Whether the pattern matches somewhere in the text, without regard to case."""
    compiled = _pattern(pattern)
    return compiled is not None and compiled.search(text) is not None


_TEXT_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b.casefold() in a.casefold(),
    "starts with": lambda a, b: a.casefold().startswith(b.casefold()),
    "ends with": lambda a, b: a.casefold().endswith(b.casefold()),
    "matches": contains_match,
}
