"""Whether two conditions can hold for one record, as far as can be seen at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import fields, is_dataclass

from dsl import program as p
from dsl.schema import Kind

__all__ = ["may_both"]


def may_both(one: p.Condition | None, other: p.Condition | None) -> bool:
    """False only where it is sure that no record fulfils both; no condition always holds."""
    if one is None or other is None:
        return True
    left, right = (list(_terms(condition)) for condition in (one, other))
    return not any(_exclude(a, b) for a in left for b in right)


def _terms(condition: p.Condition) -> Iterator[p.Condition]:
    """The conditions all of which have to hold."""
    if isinstance(condition, p.All):
        for term in condition.terms:
            yield from _terms(term)
    else:
        yield condition


def _exclude(one: p.Condition, other: p.Condition) -> bool:
    if _key(one) == _key(_negated(other)) or _key(_negated(one)) == _key(other):
        return True
    mine, theirs = _values(one), _values(other)
    return bool(mine and theirs and mine[0] == theirs[0] and not mine[1] & theirs[1])


_OPPOSITE = {"=": "!=", "!=": "="}


def _negated(condition: p.Condition) -> p.Condition:
    """The condition that holds exactly where the other does not, in its shortest form."""
    match condition:
        case p.Negation(term=term):
            return term
        case p.Empty(span=span, operand=operand, negated=negated):
            return p.Empty(span, operand, not negated)
        case p.Comparison(span=span, left=left, operator=("=" | "!=") as operator, right=right):
            return p.Comparison(span, left, _OPPOSITE[operator], False, right)
        case p.Comparison(span=span, left=left, operator=operator, negated=negated, right=right):
            if operator not in _ORDER:
                return p.Comparison(span, left, operator, not negated, right)
    return p.Negation(condition.span, condition)


_ORDER = ("<", "<=", ">", ">=")


def _values(condition: p.Condition) -> tuple[Hashable, frozenset[Hashable]] | None:
    """A field and the constants one of which it has to be; a list may hold several at once."""
    match condition:
        case p.Comparison(left=p.FieldRef() as ref, operator=operator, negated=False, right=right):
            rights = right if isinstance(right, tuple) else (right,)
            constants = [each.value for each in rights if isinstance(each, p.Constant)]
            known = ref.kind not in (Kind.LIST, Kind.UNKNOWN, Kind.DATE, Kind.DATETIME)
            if operator in ("=", "in") and known and len(constants) == len(rights):
                return _key(ref), frozenset(_folded(value) for value in constants)
    return None


def _folded(value: object) -> Hashable:
    return value.casefold() if isinstance(value, str) else repr(value)


def _key(node: object) -> Hashable:
    """What a condition or expression says, wherever it stands."""
    match node:
        case p.FieldRef(side=side, path=path):
            return side, path
        case p.Constant(value=value):
            return "constant", _folded(value)
        case tuple():
            return tuple(_key(each) for each in node)
    if is_dataclass(node):
        parts = [each.name for each in fields(node) if each.name != "span"]
        return type(node).__name__, *(_key(getattr(node, part)) for part in parts)
    return repr(node)
