"""Whether a formula can hold: clauses of one mask a subject, of which none must be zero."""

from __future__ import annotations

from collections.abc import Sequence

from dsl.logic.formula import Joined, Literal, Node, Not, Subject
from dsl.logic.tables import Table, table_of

__all__ = ["Clause", "Solver"]

#: The ways that each subject may go; one that is not there may go any way.
Clause = dict[Subject, int]

_MOST = 128


class Solver:
    """Tells what formulas about the same subjects can hold together.

    Past a number of clauses it leaves conditions out, so it finds less than there is, never more.
    """

    def __init__(self) -> None:
        self._tables: dict[Subject, Table | None] = {}

    def table(self, subject: Subject) -> Table | None:
        if subject not in self._tables:
            self._tables[subject] = table_of(subject)
        return self._tables[subject]

    def excluded(self, nodes: Sequence[Node]) -> bool:
        """Whether the nodes can certainly not hold together."""
        return not self.clauses(Joined(True, tuple(nodes)), True)

    def covered(self, nodes: Sequence[Node]) -> bool:
        """Whether one of the nodes certainly holds."""
        return not self.clauses(Joined(False, tuple(nodes)), False)

    def clauses(self, node: Node, wanted: bool) -> list[Clause]:
        """The ways in which the node can be what is wanted: true, or false."""
        match node:
            case bool():
                return [{}] if node is wanted else []
            case Literal():
                return self._literal(node, wanted)
            case Not(node=inner):
                return self.clauses(inner, not wanted)
            case Joined(every=every, nodes=nodes):
                parts = [self.clauses(each, wanted) for each in nodes]
                return _product(parts) if every is wanted else self._union(parts)

    def _literal(self, literal: Literal, wanted: bool) -> list[Clause]:
        table = self.table(literal.subject)
        if table is None:
            return [{}]
        mask = table.mask(literal.atom, literal.outcome)
        return self._clause(literal.subject, mask if wanted else table.full ^ mask)

    def _clause(self, subject: Subject, mask: int) -> list[Clause]:
        table = self.table(subject)
        if not mask:
            return []
        return [{}] if table is None or mask == table.full else [{subject: mask}]

    def _union(self, parts: Sequence[list[Clause]]) -> list[Clause]:
        merged: Clause = {}
        others: list[Clause] = []
        for clause in [clause for part in parts for clause in part]:
            if not clause:
                return [{}]
            if len(clause) > 1:
                others.append(clause)
                continue
            ((subject, mask),) = clause.items()
            merged[subject] = merged.get(subject, 0) | mask
        alone = [self._clause(subject, mask) for subject, mask in merged.items()]
        if [{}] in alone or len(alone) + len(others) > _MOST:
            return [{}]
        return [clause for part in alone for clause in part] + others


def _product(parts: Sequence[list[Clause]]) -> list[Clause]:
    found: list[Clause] = [{}]
    for part in sorted(parts, key=len):
        if len(found) * len(part) > _MOST:
            break
        found = [both for one in found for other in part if (both := _both(one, other)) is not None]
        if not found:
            break
    return found


def _both(one: Clause, other: Clause) -> Clause | None:
    both = dict(one)
    for subject, mask in other.items():
        both[subject] = both.get(subject, mask) & mask
        if not both[subject]:
            return None
    return both
