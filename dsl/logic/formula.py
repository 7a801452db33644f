"""The form in which conditions are reasoned about: what is asked of which value, joined how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from typing import Literal as OneOf

from dsl.program import Expression
from dsl.schema import Kind

__all__ = [
    "FALSE",
    "HOLDS",
    "UNSURE",
    "Atom",
    "Joined",
    "Literal",
    "Node",
    "Not",
    "Subject",
    "SubjectName",
    "subjects_of",
]

#: What the evaluator's `compare` answers: None (other types, never true), False or True. Of the
#: answers for a list's elements the highest is that for the list.
UNSURE, FALSE, HOLDS = 0, 1, 2


class Atom(NamedTuple):
    """One question about a value.

    `sort` says among which values the operand is looked for: `text` (case-folded), `number`,
    `boolean` or `time` (a `Point`). The operator `none` compares with another type.
    """

    operator: str
    sort: str = ""
    operand: Any = None


SubjectName = OneOf["value", "relation", "changed", "opaque"]


@dataclass(slots=True, eq=False)
class Subject:
    """Something about a record, and all that is asked of it.

    A `value` is that of a field or what a function gives, a `relation` is how two values lie to
    each other, `changed` is whether a field has, `opaque` a question of which no more is known.
    """

    name: SubjectName
    kind: Kind
    operands: tuple[Expression, ...]
    listed: bool = False
    atoms: dict[Atom, int] = field(default_factory=dict)


class Literal(NamedTuple):
    """Holds where the subject's answer to the atom of that number is `outcome`."""

    subject: Subject
    atom: int
    outcome: int


class Not(NamedTuple):
    node: Node


class Joined(NamedTuple):
    """All of the nodes, or any of them."""

    every: bool
    nodes: tuple[Node, ...]


# A bool is a condition that no record has a say in.
Node = Literal | Not | Joined | bool


def subjects_of(node: Node) -> Iterator[Subject]:
    """The subjects of a formula, as often as they are asked about."""
    match node:
        case Literal(subject=subject):
            yield subject
        case Not(node=inner):
            yield from subjects_of(inner)
        case Joined(nodes=nodes):
            for each in nodes:
                yield from subjects_of(each)
