"""Says in words what a condition asks, a toggle lets through and a line does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TypeAlias

from dsl import program as p
from dsl import syntax as s

__all__ = ["condition_in_words", "duration_in_words", "match_in_words", "toggle_in_words"]

_Condition: TypeAlias = s.Condition | p.Condition
_Expression: TypeAlias = s.Expression | p.Expression

_COMPARED = {
    "=": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_IN_TIME = {"<": "is before", "<=": "is not after", ">": "is after", ">=": "is not before"}
_ON_TEXT = {
    "contains": ("contains", "does not contain"),
    "starts with": ("starts with", "does not start with"),
    "ends with": ("ends with", "does not end with"),
    "matches": ("matches the pattern", "does not match the pattern"),
}
_SIDES = ("salesforce", "outreach")


def condition_in_words(node: _Condition) -> str:
    """A condition as a sentence without its full stop: `Rating is "Hot" or "Warm"`."""
    match node:
        case s.AllOf(terms=terms) | p.All(terms=terms):
            return ", and ".join(_nested(term) for term in terms)
        case s.AnyOf(terms=terms) | p.Any(terms=terms):
            return ", or ".join(_nested(term) for term in terms)
        case s.Not(term=term) | p.Negation(term=term):
            return f"not ({condition_in_words(term)})"
        case (
            s.Emptiness(operand=operand, negated=negated)
            | p.Empty(operand=operand, negated=negated)
        ):
            return f"{_said(operand)} is {'present' if negated else 'empty'}"
        case s.Changed(operand=operand) | p.Changed(operand=operand):
            return f"{_said(operand)} has changed since the last sync"
        case s.Compare() | p.Comparison():
            return _comparison(node)


def _nested(node: _Condition) -> str:
    words = condition_in_words(node)
    mixed = isinstance(node, s.AllOf | s.AnyOf | p.All | p.Any)
    return f"({words})" if mixed else words


def _comparison(node: s.Compare | p.Comparison) -> str:
    left = _said(node.left)
    if isinstance(node.right, tuple):
        values = [_said(each) for each in node.right]
        if node.negated:
            return f"{left} is {'none of ' if len(values) > 1 else 'not '}{_list(values, 'and')}"
        return f"{left} is {_list(values, 'or')}"
    right = _said(node.right)
    if node.operator in _ON_TEXT:
        return f"{left} {_ON_TEXT[node.operator][node.negated]} {right}"
    words = _IN_TIME if _is_time(node.right) and node.operator in _IN_TIME else _COMPARED
    return f"{left} {words[node.operator]} {right}"


def _is_time(node: _Expression) -> bool:
    if isinstance(node, s.Literal | p.Constant):
        return isinstance(node.value, date)
    return isinstance(node, s.Moment | s.Ago | p.Moment | p.Ago)


def _list(words: Sequence[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _said(node: _Expression) -> str:
    match node:
        case s.Path():
            side, _, rest = node.text.partition(".")
            return f"{side.capitalize()}'s {rest}" if rest and side in _SIDES else node.text
        case p.FieldRef():
            return node.path
        case s.Literal(value=value) | p.Constant(value=value):
            return _value(value)
        case s.Moment(word=word) | p.Moment(word=word):
            return word
        case s.Ago(seconds=seconds) | p.Ago(seconds=seconds):
            return f"{duration_in_words(seconds)} ago"
        case p.Computed():
            return node.span.text
        case s.Call():
            return _call(node.function.text, [_said(each) for each in node.arguments])
        case p.Call():
            return _call(node.function, [_said(each) for each in node.arguments])


def _call(function: str, arguments: Sequence[str]) -> str:
    return f"{function}({', '.join(arguments)})"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case datetime():
            return value.isoformat(sep=" ", timespec="minutes")
        case _:
            return str(value)


def duration_in_words(seconds: int) -> str:
    """`10 minutes`, `1 day`: in the largest unit that it is a whole number of."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds and seconds % length == 0:
            return _count(seconds // length, unit)
    return _count(seconds, "second")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


# -- clauses ------------------------------------------------------------------------------------

_UNSAID = {"polling": "every 10 minutes", "pushing": "every 15 seconds"}


def toggle_in_words(toggle: s.Toggle) -> str:
    """What a toggle says as it is written: `on, every 10 minutes, when Email is present`."""
    words = ["on"]
    every = _UNSAID.get(toggle.name)
    for option in toggle.options:
        match option:
            case s.Switch():
                words[0] = "on" if option.on else "off"
            case s.Every():
                every = f"every {duration_in_words(option.seconds)}"
            case s.When():
                words.append(f"when {condition_in_words(option.condition)}")
    if words[0] == "off":
        return "off"
    return ", ".join([words[0], *([every] if every else []), *words[1:]])


def match_in_words(match: s.Match) -> str:
    """Which records a `match` line takes for the same."""
    pairs = [f"{left.text} equals {right.text}" for left, right in match.pairs]
    return f"a record of each side for which {_list(pairs, 'and')}"
