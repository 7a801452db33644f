"""A few records to try first: mostly one of them shows at once that there is nothing to find."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from dsl.evaluate import Context
from dsl.logic.formula import Atom, Subject
from dsl.logic.reading import key_of
from dsl.logic.times import NOW, moment_of
from dsl.program import FieldRef
from dsl.schema import Kind
from dsl.values import stamp

__all__ = ["BLANK", "ODD", "fitted"]

_ODD: dict[Kind, Any] = {
    Kind.NUMBER: -98765.4321,
    Kind.BOOLEAN: True,
    Kind.DATE: "1987-06-05",
    Kind.DATETIME: "1987-06-05T04:32:10Z",
    Kind.LIST: ["~ odd ~"],
}

#: A record without a value, and one with values that no rule is likely to name.
BLANK = Context(lambda _: None, lambda _: False, NOW)
ODD = Context(lambda ref: _ODD.get(ref.kind, "~ odd ~"), lambda _: True, NOW)


def fitted(subjects: Iterable[Subject]) -> Context:
    """A record whose values are the first that they are compared with, or beside it."""
    record: dict[Any, Any] = {}
    for subject in subjects:
        operand = subject.operands[0]
        if subject.name == "value" and isinstance(operand, FieldRef):
            record[key_of(operand)] = _fitting(subject, operand)

    def read(ref: FieldRef) -> Any:
        value = record.get(key_of(ref))
        return ODD.read(ref) if value is None else value

    return Context(read, lambda _: True, NOW)


def _fitting(subject: Subject, ref: FieldRef) -> Any:
    atom = next(iter(subject.atoms))
    if atom.operator == "in":
        value = next(iter(atom.operand))
    elif atom.operator == "empty":
        return ODD.read(ref)
    else:
        value = _beside(atom)
    return [value] if ref.kind is Kind.LIST else value


def _beside(atom: Atom) -> Any:
    step = {"<": -1, ">": 1}.get(atom.operator, 0)
    if atom.sort == "number":
        return atom.operand + step
    if atom.sort == "time":
        return stamp(_moved(moment_of(atom.operand), step))
    return f"{atom.operand}~" if step and atom.sort == "text" else atom.operand


def _moved(moment: datetime, days: int) -> datetime:
    """A moment some days on; the moment itself where the calendar ends before that."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return moment
