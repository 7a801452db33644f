"""Conditions and expressions as Python source: the fast form of what `evaluate` defines.

A field whose kind the schema knows compiles to a plain comparison; everything else calls the
evaluator's own functions, so both forms share one meaning. Code is built from the checked tree
only; every text of a user becomes a constant in the namespace, never source.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count
from typing import Any

from dsl.evaluate import FUNCTIONS, compare, contains_match, kind_of
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
from dsl.values import instant, is_empty, stamp

__all__ = ["Emitter", "define"]

_TEMPORAL = (Kind.DATE, Kind.DATETIME)
_PYTHON = {"=": "==", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def define(name: str, arguments: str, body: list[str], namespace: dict[str, Any]) -> Any:
    """The function that the generated lines make; tracebacks show `name`."""
    source = "\n".join([f"def generated({arguments}):", *(f"    {line}" for line in body)])
    exec(compile(source, f"<{name}>", "exec"), namespace)  # noqa: S102 - see the module's first lines
    return namespace["generated"]


class Emitter:
    """Writes Python expressions for conditions; constants and helpers gather in `namespace`.

    `slot` writes how a field is read, `changed` whether it differs from the value last synced. The
    generated code expects `now` (an aware datetime) among its variables.
    """

    def __init__(
        self,
        slot: Callable[[FieldRef], str],
        changed: Callable[[FieldRef], str],
        zone: tzinfo = UTC,
    ) -> None:
        self._slot = slot
        self._changed = changed
        self._zone = zone
        self._numbers = count()
        self.namespace: dict[str, Any] = {
            "compare": compare,
            "instant": instant,
            "is_empty": is_empty,
            "matches": contains_match,
            "stamp": stamp,
            "timedelta": timedelta,
            "zone": zone,
            "midnight": self._midnight,
        }

    def _midnight(self, now: datetime) -> datetime | None:
        return instant(now.astimezone(self._zone).date(), self._zone)

    def constant(self, value: object) -> str:
        """A name for a value in the generated code."""
        name = f"k{next(self._numbers)}"
        self.namespace[name] = value
        return name

    def _variable(self) -> str:
        return f"v{next(self._numbers)}"

    # -- expressions ----------------------------------------------------------------------------

    def expression(self, expression: Expression) -> str:
        """Python for an expression's value, in the form that stores use."""
        match expression:
            case FieldRef():
                return self._slot(expression)
            case Constant(value=value, kind=Kind.DATETIME):
                return self.constant(stamp(value))  # type: ignore[arg-type]
            case Constant(value=value, kind=Kind.DATE):
                return self.constant(value.isoformat())  # type: ignore[attr-defined]
            case Constant(value=value):
                return self.constant(value)
            case Moment(word="today"):
                return "now.astimezone(zone).date().isoformat()"
            case Moment():
                return "stamp(now)"
            case Ago(seconds=seconds):
                return f"stamp(now - {self.constant(timedelta(seconds=seconds))})"
            case Call(function=name, arguments=arguments):
                values = ", ".join([*map(self.expression, arguments), "zone"])
                return f"{self.constant(FUNCTIONS[name])}({values})"
            case Computed(arguments=fields, compute=compute):
                values = ", ".join([*map(self.expression, fields), "zone"])
                return f"{self.constant(compute)}({values})"

    # -- conditions -----------------------------------------------------------------------------

    def condition(self, condition: Condition) -> str:
        """Python that is True or False as the condition holds."""
        match condition:
            case All(terms=terms):
                return "(" + " and ".join(map(self.condition, terms)) + ")" if terms else "True"
            case AnyOf(terms=terms):
                return "(" + " or ".join(map(self.condition, terms)) + ")" if terms else "False"
            case Negation(term=term):
                return f"(not {self.condition(term)})"
            case Empty(operand=operand, negated=negated):
                return self._emptiness(operand, negated)
            case Changed(operand=operand):
                return self._changed(operand)
            case Comparison():
                return self._comparison(condition)

    def _emptiness(self, operand: Expression, negated: bool) -> str:
        value = self.expression(operand)
        match kind_of(operand):
            case Kind.NUMBER | Kind.BOOLEAN:
                return f"({value} is {'not ' if negated else ''}None)"
            case Kind.UNKNOWN:
                return f"({'not ' if negated else ''}is_empty({value}))"
            case _ if negated:
                return f"(not not {value})"
            case _:
                return f"(not {value})"

    def _comparison(self, c: Comparison) -> str:
        if isinstance(c.left, FieldRef):
            kind = c.left.kind
            if kind is Kind.TEXT and _constants(c.right, str):
                return self._text(c, self._slot(c.left))
            if kind is Kind.NUMBER and _constants(c.right, int, float):
                return self._number(c, self._slot(c.left))
            if kind is Kind.BOOLEAN and c.operator in ("=", "!=") and _constants(c.right, bool):
                return self._boolean(c, self._slot(c.left))
            if kind in _TEMPORAL and c.operator in _PYTHON and not isinstance(c.right, tuple):
                moment = self._moment(c.right)
                if moment:
                    return self._temporal(c, self._slot(c.left), moment)
        return self._general(c)

    def _text(self, c: Comparison, value: str) -> str:
        v = self._variable()
        if isinstance(c.right, tuple):
            folded = {r.value.casefold() for r in c.right if r.value}  # type: ignore[union-attr]
            items = self.constant(frozenset(folded))
            if c.negated:
                return f"(({v} := {value}) is None or {v}.casefold() not in {items})"
            return f"(({v} := {value}) is not None and {v}.casefold() in {items})"
        text = c.right.value.casefold()  # type: ignore[union-attr]
        if not text:
            return "True" if c.negated or c.operator == "!=" else "False"
        k = self.constant(text)
        if c.operator == "!=":
            return f"(({v} := {value}) is None or {v}.casefold() != {k})"
        if c.operator == "matches":
            k = self.constant(c.right.value)  # type: ignore[union-attr]
        test = {
            "contains": f"{k} in {v}.casefold()",
            "starts with": f"{v}.casefold().startswith({k})",
            "ends with": f"{v}.casefold().endswith({k})",
            "matches": f'{v} != "" and matches({v}, {k})',
        }.get(c.operator) or f'{v} != "" and {v}.casefold() {_PYTHON[c.operator]} {k}'
        if c.operator == "=":
            test = f"{v}.casefold() == {k}"
        holds = f"(({v} := {value}) is not None and {test})"
        return f"(not {holds})" if c.negated else holds

    def _number(self, c: Comparison, value: str) -> str:
        if isinstance(c.right, tuple):
            items = self.constant(frozenset(r.value for r in c.right))  # type: ignore[union-attr]
            return f"({value} {'not in' if c.negated else 'in'} {items})"
        k = self.constant(c.right.value)  # type: ignore[union-attr]
        if c.operator in ("=", "!="):
            return f"({value} {'==' if c.operator == '=' else '!='} {k})"
        v = self._variable()
        return f"(({v} := {value}) is not None and {v} {c.operator} {k})"

    def _boolean(self, c: Comparison, value: str) -> str:
        word = "is" if c.operator == "=" else "is not"
        return f"({value} {word} {c.right.value})"  # type: ignore[union-attr]

    def _moment(self, right: Expression) -> str | None:
        match right:
            case Ago(seconds=seconds):
                return f"now - {self.constant(timedelta(seconds=seconds))}"
            case Moment(word="now"):
                return "now"
            case Moment():
                return "midnight(now)"
            case Constant(value=value, kind=Kind.DATE | Kind.DATETIME):
                return self.constant(instant(value, self._zone))
            case _:
                return None

    def _temporal(self, c: Comparison, value: str, moment: str) -> str:
        v = self._variable()
        return (
            f"(({v} := instant({value}, zone)) is not None and {v} {_PYTHON[c.operator]} {moment})"
        )

    def _general(self, c: Comparison) -> str:
        left = self.expression(c.left)
        rights = c.right if isinstance(c.right, tuple) else (c.right,)
        operator = repr("=" if c.operator == "in" else c.operator)
        v = self._variable()
        answers = []
        for number, right in enumerate(rights):
            temporal = any(kind_of(e) in _TEMPORAL for e in (c.left, right))
            value = f"({v} := {left})" if number == 0 else v
            answers.append(
                f"compare({operator}, {value}, {self.expression(right)}, {temporal}, zone)"
            )
        if c.operator == "in":
            found = "(" + " or ".join(f"{a} is True" for a in answers) + ")"
            return f"(not {found})" if c.negated else found
        return f"({answers[0]} is {not c.negated})"


def _constants(right: Expression | tuple[Expression, ...], *types: type) -> bool:
    items = right if isinstance(right, tuple) else (right,)
    return all(isinstance(e, Constant) and type(e.value) in types for e in items)
