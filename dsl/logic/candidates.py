"""Values worth trying for a field, from what a condition compares it with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, timedelta
from itertools import combinations, pairwise
from typing import Any

from dsl.evaluate import compare
from dsl.logic.formula import FALSE, HOLDS, UNSURE, Atom, Subject
from dsl.logic.texts import PATTERNS
from dsl.logic.times import NOW, moment_of
from dsl.schema import Kind
from dsl.values import is_empty, stamp

__all__ = ["answers", "candidates"]

_TIMES = (Kind.DATE, Kind.DATETIME)
_MOST = 40


def answers(subject: Subject, value: Any) -> tuple[int, ...]:
    """What the value answers to all that is asked of the subject."""
    return tuple(_answer(atom, value) for atom in subject.atoms)


def _answer(atom: Atom, value: Any) -> int:
    if atom.operator == "empty":
        return HOLDS if is_empty(value) else FALSE
    if is_empty(value):
        return FALSE
    if atom.operator == "none":
        return UNSURE
    if atom.operator == "in":
        found = [compare("=", value, each, False, UTC) for each in atom.operand]
        return HOLDS if True in found else FALSE
    timed = atom.sort == "time"
    operand = stamp(moment_of(atom.operand)) if timed else atom.operand
    found_one = compare(atom.operator, value, operand, timed, UTC)
    return UNSURE if found_one is None else HOLDS if found_one else FALSE


def candidates(subjects: Iterable[Subject], kind: Kind, listed: bool) -> list[Any]:
    """Values of a kind that lie at, between and around all that the subjects are asked about."""
    atoms = [atom for subject in subjects for atom in subject.atoms]
    found: list[Any] = [None]
    if kind in (Kind.DATE, Kind.DATETIME):
        found += _times(atoms, kind)
    else:
        plain = [*_texts(atoms), *_numbers(atoms), True, False, *_times(atoms, Kind.DATETIME)]
        found += [value for value in plain if _fits(value, kind)]
    if listed:
        some = found[1:_MOST]
        found = [None, *([each] for each in some), *map(list, combinations(some, 2))]
    return found


def _fits(value: Any, kind: Kind) -> bool:
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.BOOLEAN:
            return isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
    return True


def _operands(atoms: Sequence[Atom], sort: str) -> list[Any]:
    found: dict[Any, None] = {}
    for atom in atoms:
        if atom.sort == sort:
            many = isinstance(atom.operand, frozenset)
            found.update(dict.fromkeys(sorted(atom.operand) if many else [atom.operand]))
    return list(found)


def _texts(atoms: Sequence[Atom]) -> Iterator[str]:
    whole = [a for a in atoms if a.operator not in PATTERNS]
    for text in _operands(whole, "text")[:_MOST]:
        yield from (text, f"{text} x")
    parts = {op: [str(a.operand) for a in atoms if a.operator == op] for op in PATTERNS}
    starts, ends = parts["starts with"], parts["ends with"]
    middles = [*parts["contains"], *map(_spelled, parts["matches"])]
    longest = max(starts, key=len, default=""), max(ends, key=len, default="")
    yield "".join([longest[0], *middles, longest[1]]) or "x"
    for start in ["", *starts]:
        for end in ["", *ends]:
            for middle in ["", "x", *middles]:
                yield start + middle + end
    yield from ("!", "zz", "123")


def _spelled(pattern: str) -> str:
    """A text that a simple pattern may match."""
    return pattern.removeprefix("^").removesuffix("$").replace("\\", "")


def _numbers(atoms: Sequence[Atom]) -> Iterator[int | float]:
    points = sorted(_operands(atoms, "number"))
    for number in points[:_MOST]:
        yield from (number, number + 1, number - 1)
    for one, other in pairwise(points[:_MOST]):
        yield (one + other) / 2
    yield 0


def _times(atoms: Sequence[Atom], kind: Kind) -> Iterator[str]:
    points = sorted(map(moment_of, _operands(atoms, "time")))[:_MOST]
    tried = [NOW]
    for moment in points:
        tried += [moment, *(moment + timedelta(seconds=s) for s in (-1, 1, -86400, 86400))]
    tried += [one + (other - one) / 2 for one, other in pairwise(points)]
    for moment in tried:
        yield moment.date().isoformat() if kind is Kind.DATE else stamp(moment)
