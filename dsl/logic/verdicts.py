"""Conditions that never hold and ones that always do, with the terms that make them so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from dsl.evaluate import Context, evaluate
from dsl.logic.formula import Node, subjects_of
from dsl.logic.reading import Reading
from dsl.logic.samples import BLANK, ODD, fitted
from dsl.logic.solving import Solver
from dsl.logic.wording import why_always, why_never
from dsl.program import All, Condition, Negation
from dsl.program import Any as AnyOf

__all__ = ["Contradiction", "Tautology", "always", "findings", "never", "parts"]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The fewest terms found that cannot hold together: mostly two, one if it cannot by itself."""

    terms: tuple[Condition, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Tautology:
    """The fewest terms found of which one holds for every record."""

    terms: tuple[Condition, ...]
    why: str


def never(*conditions: Condition) -> Contradiction | None:
    """Why no record can fulfil all of the conditions; None if one can, or where that is unclear."""
    judge = Judge(conditions)
    return None if judge.plain else _never(conditions, judge)


def always(condition: Condition) -> Tautology | None:
    """Why every record fulfils the condition; None if one may not."""
    if not (evaluate(condition, BLANK) and evaluate(condition, ODD)):
        return None
    judge = Judge([condition])
    return None if judge.plain else _always(condition, judge)


def parts(condition: Condition) -> Iterator[Condition]:
    """The condition and what it is made of, from the outside in.

    Nothing inside a part follows that never or always holds: it has been said of the whole.
    """
    yield condition
    terms = _terms(condition)
    if terms and not never(condition) and not always(condition):
        for term in terms:
            yield from parts(term)


def findings(*conditions: Condition) -> Iterator[tuple[Condition, Contradiction | Tautology]]:
    """All that there is to say of conditions that must hold together, each with its part.

    The part is the last condition if they exclude each other. A branch that could hold by itself,
    but not beside what else must hold, is found as well.
    """
    judge = Judge(conditions)
    if judge.plain:
        return
    impossible = _never(conditions, judge)
    if impossible:
        yield conditions[-1], impossible
        return
    for condition, beside in _each(conditions):
        idle = _always(condition, judge)
        if idle:
            yield condition, idle
        else:
            yield from _inside(condition, beside, judge)


def _inside(
    condition: Condition, beside: Sequence[Condition], judge: Judge
) -> Iterator[tuple[Condition, Contradiction | Tautology]]:
    """What is to be said of the terms of a condition that can hold, and need not.

    `beside` are the conditions that must hold as well.
    """
    for term, others in _each(_terms(condition)):
        around = [*beside, *others] if isinstance(condition, All) else beside
        finding: Contradiction | Tautology | None
        finding = None if judge.is_plain(term) else _always(term, judge)
        if finding is None and isinstance(condition, AnyOf) and judge.are_related(term, around):
            finding = _never([*around, term], judge)
        if finding:
            yield term, finding
        else:
            yield from _inside(term, () if isinstance(condition, Negation) else around, judge)


def _each(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, Sequence[Condition]]]:
    """Each of the conditions, with the others."""
    for number, condition in enumerate(conditions):
        yield condition, [*conditions[:number], *conditions[number + 1 :]]


def _terms(condition: Condition) -> tuple[Condition, ...]:
    match condition:
        case All(terms=terms) | AnyOf(terms=terms):
            return terms
        case Negation(term=term):
            return (term,)
    return ()


# -- the terms that make it so ------------------------------------------------------------------


class Judge:
    """Tells of conditions, or of parts of them, whether they exclude each other or cover all."""

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._reading = Reading()
        self._nodes: dict[int, Node] = {}
        self._plain: dict[int, bool] = {}
        for condition in conditions:
            self._node(condition)
        self.plain = self._reading.plain
        self._solver = Solver()

    def _node(self, condition: Condition) -> Node:
        key = id(condition)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = self._reading.read(condition)
        return node

    @cached_property
    def _samples(self) -> tuple[Context, ...]:
        return (fitted(self._reading.subjects.values()), ODD, BLANK)

    def is_plain(self, part: Condition) -> bool:
        """Whether there is nothing to find in the part by itself."""
        plain = self._plain.get(id(part))
        if plain is None:
            reading = Reading()
            reading.read(part)
            plain = self._plain[id(part)] = reading.plain
        return plain

    def are_related(self, part: Condition, others: Sequence[Condition]) -> bool:
        """Whether there may be something to find in the part beside the others."""
        own = set(subjects_of(self._node(part)))
        shared = any(s in own for each in others for s in subjects_of(self._node(each)))
        return shared or not self.is_plain(part)

    def excluded(self, conditions: Sequence[Condition]) -> bool:
        """Whether the conditions can certainly not hold together."""
        for sample in self._samples:
            if all(evaluate(each, sample) for each in conditions):
                return False
        return self._solver.excluded([self._node(each) for each in conditions])

    def covered(self, conditions: Sequence[Condition]) -> bool:
        """Whether one of the conditions certainly holds."""
        for sample in self._samples:
            if not any(evaluate(each, sample) for each in conditions):
                return False
        return self._solver.covered([self._node(each) for each in conditions])


def _never(conditions: Sequence[Condition], judge: Judge) -> Contradiction | None:
    if not judge.excluded(conditions):
        return None
    terms = [term for each in conditions for term in _flat(each, All)]
    fewest = _fewest(terms, judge.excluded)
    return Contradiction(fewest, why_never(fewest, never, always))


def _always(condition: Condition, judge: Judge) -> Tautology | None:
    if not judge.covered([condition]):
        return None
    fewest = _fewest(list(_flat(condition, AnyOf)), judge.covered)
    return Tautology(fewest, why_always(fewest, never, always))


def _flat(condition: Condition, kind: type[All | AnyOf]) -> Iterator[Condition]:
    if isinstance(condition, kind):
        for term in condition.terms:
            yield from _flat(term, kind)
    else:
        yield condition


def _fewest(
    terms: Sequence[Condition], settled: Callable[[Sequence[Condition]], bool]
) -> tuple[Condition, ...]:
    """The first term that settles it, or the first two, or what is left when none can be spared."""
    for size in (1, 2):
        for chosen in combinations(terms, size):
            if settled(chosen):
                return chosen
    kept = list(terms)
    for number in reversed(range(len(kept))):
        fewer = kept[:number] + kept[number + 1 :]
        if settled(fewer):
            kept = fewer
    return tuple(kept)
