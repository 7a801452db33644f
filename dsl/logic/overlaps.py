"""Whether one record can fulfil two conditions: proved that none can, or shown by one that does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from dsl.evaluate import Context, evaluate
from dsl.logic.candidates import answers, candidates
from dsl.logic.formula import HOLDS, Joined, Node, Subject, subjects_of
from dsl.logic.reading import Reading, key_of
from dsl.logic.samples import BLANK, ODD, fitted
from dsl.logic.solving import Clause, Solver
from dsl.logic.times import NOW
from dsl.program import Call, Condition, Expression, FieldRef

__all__ = ["overlap"]

_CLAUSES = 16
_RECORDS = 200
_CHOICES = 4

# A record, and which of its fields have changed, by side and path.
_Key = tuple[Any, ...]
_Record = tuple[Mapping[_Key, Any], frozenset[_Key]]


def overlap(a: Condition | None, b: Condition | None) -> bool | None:
    """Whether some record fulfils both conditions (None: no condition); None if that is not known.

    The two must be about one record: a field that both read is the same field.
    """
    conditions = [each for each in (a, b) if each is not None]
    reading, solver = Reading(), Solver()
    node = Joined(True, tuple([reading.read(each) for each in conditions]))
    samples = (fitted(reading.subjects.values()), ODD, BLANK)
    if any(all(evaluate(each, sample) for each in conditions) for sample in samples):
        return True
    clauses = solver.clauses(node, True)
    if not clauses:
        return False
    found = any(_fulfils(record, conditions) for record in _records(node, clauses, solver))
    return True if found else None


def _fulfils(record: _Record, conditions: Sequence[Condition]) -> bool:
    values, changed = record
    context = Context(lambda ref: values.get(key_of(ref)), lambda ref: key_of(ref) in changed, NOW)
    return all(evaluate(each, context) for each in conditions)


def _records(node: Node, clauses: Sequence[Clause], solver: Solver) -> Iterator[_Record]:
    subjects = list(dict.fromkeys(subjects_of(node)))
    fields = {key_of(ref): ref for s in subjects for each in s.operands for ref in _fields(each)}
    for clause in clauses[:_CLAUSES]:
        changed = frozenset(
            key_of(subject.operands[0])
            for subject, mask in clause.items()
            if subject.name == "changed" and mask == _holding(solver, subject)
        )
        choices = [_choices(ref, subjects, clause, solver) for ref in fields.values()]
        for values in islice(product(*choices), _RECORDS):
            yield dict(zip(fields, values, strict=True)), changed


def _holding(solver: Solver, subject: Subject) -> int:
    table = solver.table(subject)
    return table.mask(0, HOLDS) if table else 0


def _choices(
    ref: FieldRef, subjects: Sequence[Subject], clause: Clause, solver: Solver
) -> Sequence[Any]:
    """Some values of a field: those that go with the clause, if it says anything of the field."""
    own = [s for s in subjects if s.name == "value" and key_of(s.operands[0]) == key_of(ref)]
    # Where values lie to each other, what one is compared with may do for another.
    related = any(s.name != "value" and _reads(s, ref) for s in subjects)
    near = subjects if related else [s for s in subjects if _reads(s, ref)]
    tried = candidates(near, ref.kind, any(s.listed for s in own))
    for subject in own:
        table = solver.table(subject)
        if table is None or subject not in clause:
            continue
        ways = {way for n, way in enumerate(table.ways) if clause[subject] >> n & 1}
        tried = [value for value in tried if answers(subject, value) in ways]
    return tried[:_CHOICES]


def _reads(subject: Subject, ref: FieldRef) -> bool:
    key = key_of(ref)
    return any(key_of(each) == key for operand in subject.operands for each in _fields(operand))


def _fields(expression: Expression) -> Iterator[FieldRef]:
    match expression:
        case FieldRef():
            yield expression
        case Call(arguments=arguments):
            for each in arguments:
                yield from _fields(each)
