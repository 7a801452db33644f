"""Reads a condition as a formula: the same question about the same value becomes the same atom."""

from __future__ import annotations

from collections.abc import Hashable

from dsl.evaluate import evaluate, kind_of, value_of
from dsl.logic.formula import FALSE, HOLDS, Atom, Joined, Literal, Node, Not, Subject, SubjectName
from dsl.logic.times import NOWHERE, point
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
from dsl.schema import Kind, Side, is_custom
from dsl.values import is_empty

__all__ = ["Reading", "is_fixed", "key_of"]

_TIMES = (Kind.DATE, Kind.DATETIME)
_VAGUE = (Kind.UNKNOWN, Kind.OBJECT)
_ORDER = frozenset({"=", "<", "<=", ">", ">="})
_FLIPPED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def key_of(expression: Expression) -> tuple[Hashable, ...]:
    """What two expressions share that always have the same value."""
    match expression:
        case FieldRef(side=side, path=path):
            return (side is Side.OUTREACH, path)
        case Constant(value=value, kind=kind):
            return (kind, value)
        case Moment(word=word):
            return (word,)
        case Ago(seconds=seconds):
            return ("ago", seconds)
        case Call(function=name, arguments=arguments):
            return (name, *map(key_of, arguments))
        case Computed(span=span, arguments=arguments):
            return (span.text, *map(key_of, arguments))


def is_fixed(expression: Expression) -> bool:
    """Whether no record has a say in the expression's value (the time or the zone may)."""
    if isinstance(expression, Call):
        return all(is_fixed(a) for a in expression.arguments)
    return not isinstance(expression, FieldRef)


def _is_timeless(expression: Expression) -> bool:
    """Whether the value is the same at any time and in any zone."""
    if isinstance(expression, Call):
        named = expression.function not in ("date", "datetime")
        return named and all(_is_timeless(a) for a in expression.arguments)
    return isinstance(expression, Constant)


def _may_be_list(expression: Expression) -> bool:
    """Whether the value may be a list. Custom fields of both systems never hold one."""
    match expression:
        case FieldRef(kind=kind, side=side, path=path):
            if kind is Kind.LIST:
                return True
            custom = side is Side.SALESFORCE or is_custom(side, path.rpartition(".")[2])
            return kind in _VAGUE and not custom
        case Call(function="coalesce", arguments=arguments):
            return any(map(_may_be_list, arguments))
    return False


class Reading:
    """Conditions about one record, read together.

    `plain` stays true while no value is asked about twice and nothing holds by itself: then there
    is nothing to find.
    """

    def __init__(self) -> None:
        self.plain = True
        self.subjects: dict[Hashable, Subject] = {}

    def read(self, condition: Condition) -> Node:
        match condition:
            case Comparison(operator="in"):
                return self._membership(condition, condition.right)  # type: ignore[arg-type]
            case Comparison():
                return self._comparison(condition)
            case All(terms=terms):
                return Joined(True, tuple([self.read(t) for t in terms]))
            case AnyOf(terms=terms):
                return Joined(False, tuple([self.read(t) for t in terms]))
            case Negation(term=term):
                return Not(self.read(term))
            case Empty():
                return self._emptiness(condition)
            case Changed(operand=operand):
                key = ("changed", *key_of(operand))
                subject = self._subject("changed", key, (operand,), Kind.BOOLEAN)
                return self._literal(subject, Atom("holds"))

    # -- what is asked --------------------------------------------------------------------------

    def _fixed(self, holds: bool) -> bool:
        self.plain = False
        return holds

    def _literal(self, subject: Subject, atom: Atom, outcome: int = HOLDS) -> Literal:
        atoms = subject.atoms
        return Literal(subject, atoms.setdefault(atom, len(atoms)), outcome)

    def _subject(
        self, name: SubjectName, key: Hashable, operands: tuple[Expression, ...], kind: Kind
    ) -> Subject:
        found = self.subjects.get(key)
        if found is None:
            listed = name == "value" and _may_be_list(operands[0])
            found = self.subjects[key] = Subject(name, kind, operands, listed)
        else:
            self.plain = False
        return found

    def _value(self, expression: Expression) -> Subject:
        if isinstance(expression, Call):
            self.plain = False  # what a function gives may have bounds of its own
        return self._subject("value", key_of(expression), (expression,), kind_of(expression))

    def _opaque(
        self, key: Hashable, operands: tuple[Expression, ...], outcome: int = HOLDS
    ) -> Node:
        subject = self._subject("opaque", key, operands, Kind.UNKNOWN)
        return self._literal(subject, Atom("holds"), outcome)

    def _emptiness(self, condition: Empty) -> Node:
        operand = condition.operand
        if not is_fixed(operand):
            asked: Node = self._literal(self._value(operand), Atom("empty"))
            return Not(asked) if condition.negated else asked
        if _is_timeless(operand):
            return self._fixed(evaluate(condition, NOWHERE))
        if not isinstance(operand, Call):
            return self._fixed(condition.negated)  # a time is never empty
        asked = self._opaque(("empty", key_of(operand)), (operand,))
        return Not(asked) if condition.negated else asked

    # -- comparisons ----------------------------------------------------------------------------

    def _comparison(self, condition: Comparison) -> Node:
        operator = condition.operator
        outcome = FALSE if condition.negated else HOLDS
        if operator == "!=":
            operator, outcome = "=", FALSE
        return self._compare(operator, condition.left, condition.right, outcome)  # type: ignore[arg-type]

    def _compare(self, operator: str, left: Expression, right: Expression, outcome: int) -> Node:
        if isinstance(left, FieldRef) and isinstance(right, Constant):
            return self._question(operator, left, right, outcome)
        if is_fixed(left):
            if is_fixed(right):
                return self._constants(operator, left, right, outcome)
            if operator in _FLIPPED:
                left, right, operator = right, left, _FLIPPED[operator]
        if not is_fixed(right) or is_fixed(left):
            return self._relation(operator, left, right, outcome)
        return self._question(operator, left, right, outcome)

    def _question(self, operator: str, left: Expression, right: Expression, outcome: int) -> Node:
        atom = _atom(operator, left, right)
        if atom is None:
            return self._unknown(operator, left, right, outcome)
        if atom.operator == "nothing":
            return self._fixed(outcome == FALSE)
        if atom.operator == "none":
            self.plain = False
        return self._literal(self._value(left), atom, outcome)

    def _unknown(self, operator: str, left: Expression, right: Expression, outcome: int) -> Node:
        return self._opaque((operator, key_of(left), key_of(right)), (left, right), outcome)

    def _constants(self, operator: str, left: Expression, right: Expression, outcome: int) -> Node:
        kinds = {kind_of(left), kind_of(right)}
        if not (_is_timeless(left) and _is_timeless(right)) or len(kinds.intersection(_TIMES)) > 1:
            return self._unknown(operator, left, right, outcome)
        compared = Comparison(left.span, left, operator, outcome == FALSE, right)
        return self._fixed(evaluate(compared, NOWHERE))

    def _relation(self, operator: str, left: Expression, right: Expression, outcome: int) -> Node:
        one, other = key_of(left), key_of(right)
        if operator not in _ORDER or _may_be_list(left) or _may_be_list(right):
            return self._unknown(operator, left, right, outcome)
        if repr(other) < repr(one):
            left, right, operator = right, left, _FLIPPED[operator]
            one, other = other, one
        if one == other:
            self.plain = False
        subject = self._subject("relation", ("relation", one, other), (left, right), Kind.UNKNOWN)
        return self._literal(subject, Atom(operator), outcome)

    def _membership(self, condition: Comparison, rights: tuple[Expression, ...]) -> Node:
        left = condition.left
        known: dict[str, set[Hashable]] = {}
        nodes: list[Node] = []
        for right in rights:
            atom = _atom("=", left, right) if is_fixed(right) and not is_fixed(left) else None
            if atom is not None and atom.sort in ("text", "number"):
                known.setdefault(atom.sort, set()).add(atom.operand)
            elif atom is None or atom.sort:
                nodes.append(self._compare("=", left, right, HOLDS))
        for sort, values in known.items():
            atom = Atom("in", sort, frozenset(values))
            if len(values) == 1:
                atom = Atom("=", sort, next(iter(values)))
            nodes.append(self._literal(self._value(left), atom))
        if not nodes:
            return self._fixed(condition.negated)
        found = nodes[0] if len(nodes) == 1 else Joined(False, tuple(nodes))
        return Not(found) if condition.negated else found


def _atom(operator: str, left: Expression, right: Expression) -> Atom | None:
    """What a comparison of a value with a fixed one asks; None where nothing is known of it."""
    in_time = kind_of(left) in _TIMES
    if isinstance(right, Constant) and not in_time and right.kind not in _TIMES:
        return _plain_atom(operator, right.value)
    if in_time or kind_of(right) in _TIMES:
        return _timed_atom(operator, right)
    return _plain_atom(operator, value_of(right, NOWHERE)) if _is_timeless(right) else None


def _timed_atom(operator: str, right: Expression) -> Atom | None:
    if operator not in _ORDER:
        return None
    moment = point(right)
    if moment is not None:
        return Atom(operator, "time", moment)
    if not _is_timeless(right):
        return None
    return Atom("nothing" if is_empty(value_of(right, NOWHERE)) else "none")


def _plain_atom(operator: str, value: object) -> Atom | None:
    if isinstance(value, str):
        if not value:
            return Atom("nothing")
        return Atom(operator, "text", value if operator == "matches" else value.casefold())
    if isinstance(value, bool):
        return Atom("=", "boolean", value) if operator == "=" else Atom("none")
    if isinstance(value, int | float):
        return Atom(operator, "number", value) if operator in _ORDER else Atom("none")
    return Atom("nothing") if value is None else None
