"""All that a value can answer to what is asked of it: a bit for each way, a mask for each answer.

What no value answers may have a bit too, where telling would take long. So a formula that no bits
fulfil can never hold, and one that some fulfil may or may not.
"""

from __future__ import annotations

import operator as op
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dsl.evaluate import kind_of
from dsl.logic.formula import FALSE, HOLDS, UNSURE, Atom, Subject
from dsl.logic.reading import key_of
from dsl.logic.texts import PATTERNS, Place, places
from dsl.logic.times import signs
from dsl.program import Call
from dsl.schema import Kind

__all__ = ["Answers", "Table", "table_of"]

#: The answers to a subject's atoms, in the atoms' order.
Answers = tuple[int, ...]

# Past these a value is left out of the reasoning: its rows would take longer than they are worth.
_MOST = 600
_MOST_PATTERNS = 128
_MOST_LISTS = 128

_SORTS = {
    Kind.TEXT: ("text",),
    Kind.NUMBER: ("number",),
    Kind.BOOLEAN: ("boolean",),
    Kind.DATE: ("time",),
    Kind.DATETIME: ("time",),
    Kind.ID: ("text", "number"),
    Kind.REFERENCE: ("text", "number"),
}
_ANY_SORT = ("text", "number", "boolean", "other")

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": op.eq,
    "<": op.lt,
    "<=": op.le,
    ">": op.gt,
    ">=": op.ge,
    "in": lambda place, found: place in found,
}


@dataclass(frozen=True, slots=True)
class Table:
    """`ways` are the answers that belong to each bit, from the lowest on; `full` has them all."""

    ways: tuple[Answers, ...]
    masks: dict[tuple[int, int], int]
    full: int

    def mask(self, atom: int, outcome: int) -> int:
        """The ways in which the atom of that number has that outcome."""
        return self.masks.get((atom, outcome), 0)


def table_of(subject: Subject) -> Table | None:
    """What can be answered to all that is asked of a subject; None if that is too much to say."""
    ways = _ways(subject)
    if ways is None or len(ways) > _MOST:
        return None
    masks: dict[tuple[int, int], int] = {}
    for number, way in enumerate(ways):
        bit = 1 << number
        for key in enumerate(way):
            masks[key] = masks.get(key, 0) | bit
    return Table(tuple(ways), masks, (1 << len(ways)) - 1)


def _ways(subject: Subject) -> Sequence[Answers] | None:
    atoms = tuple(subject.atoms)
    if subject.name == "relation":
        return _lie(subject, atoms)
    if subject.name == "changed":
        return [(HOLDS,), (FALSE,)]
    if subject.name == "opaque":
        return [(HOLDS,), (FALSE,), (UNSURE,)]
    expression = subject.operands[0]
    if isinstance(expression, Call) and expression.function == "length":
        return list(dict.fromkeys(map(tuple, _lengths(atoms))))
    empty = tuple(HOLDS if a.operator == "empty" else FALSE for a in atoms)
    if not subject.listed:
        filled = _filled(atoms, subject.kind)
        return None if filled is None else list(dict.fromkeys([empty, *filled]))
    # An empty element of a list is nowhere, but a list that has one is not empty.
    elements = _filled(atoms, Kind.UNKNOWN)
    added = None if elements is None else _added([*elements, (FALSE,) * len(atoms)])
    return None if added is None else [empty, *added]


def _added(elements: Iterable[Answers]) -> Sequence[Answers] | None:
    """What lists of such elements answer: of each answer the highest."""
    found: dict[Answers, None] = {}
    for element in dict.fromkeys(elements):
        for known in [element, *(tuple(map(max, element, k)) for k in found)]:
            found[known] = None
        if len(found) > _MOST_LISTS:
            return None
    return list(found)


# -- values that are not empty ------------------------------------------------------------------

# The numbers of some atoms, with the atoms.
_Asked = Sequence[tuple[int, Atom]]


def _filled(atoms: Sequence[Atom], kind: Kind) -> list[Answers] | None:
    """What values of the kind answer, empty ones aside; None if that is too much."""
    base = [FALSE if a.operator == "empty" else UNSURE for a in atoms]
    found: list[Answers] = []
    for sort in _SORTS.get(kind, _ANY_SORT):
        asked = [(i, a) for i, a in enumerate(atoms) if a.sort == sort]
        if sort == "text":
            ways = _texts(base, asked, [(i, a) for i, a in enumerate(atoms) if a.sort == "time"])
        elif sort == "time":
            ways = _times(base, asked, kind is Kind.DATE)
        elif sort == "boolean":
            ways = [_answer(base, asked, value) for value in (True, False)]
        else:
            ways = list(_ordered(base, asked))
        if ways is None:
            return None
        found.extend(map(tuple, ways))
    return found


def _answer(base: list[int], asked: _Asked, value: object) -> list[int]:
    way = base.copy()
    for i, atom in asked:
        way[i] = HOLDS if value == atom.operand else FALSE
    return way


def _points(asked: _Asked) -> list[Any]:
    """The values compared with, in order."""
    found: set[Any] = set()
    for _, atom in asked:
        if atom.operator == "in":
            found.update(atom.operand)
        else:
            found.add(atom.operand)
    return sorted(found)


def _ordered(base: list[int], asked: _Asked) -> Iterator[list[int]]:
    """What the points and the values around them answer: point number `n` is place `2n + 1`."""
    points = _points(asked)
    for place, tests in _places(points, asked):
        way = base.copy()
        for i, compare, at in tests:
            way[i] = HOLDS if compare(place, at) else FALSE
        yield way


_Test = tuple[int, Callable[[Any, Any], bool], Any]


def _places(points: Sequence[Any], asked: _Asked) -> Iterator[tuple[int, list[_Test]]]:
    places = {value: 2 * number + 1 for number, value in enumerate(points)}
    tests = [(i, _COMPARE[a.operator], _at(a, places)) for i, a in asked]
    # Where nothing is above or below, all values that are no point are alike.
    alike = [0, *range(1, 2 * len(points), 2)]
    for place in range(2 * len(points) + 1) if _between(asked) else alike:
        yield place, tests


def _between(asked: _Asked) -> bool:
    """Whether it matters which points a value lies between."""
    return any(a.operator not in ("=", "in") for _, a in asked)


def _at(atom: Atom, places: dict[Any, int]) -> Any:
    if atom.operator == "in":
        return {places[value] for value in atom.operand}
    return places[atom.operand]


def _texts(base: list[int], asked: _Asked, timed: _Asked) -> list[list[int]] | None:
    """What texts answer; a text may be a moment as well, if that is asked."""
    patterns = [(i, a) for i, a in asked if a.operator in PATTERNS]
    plain = [(i, a) for i, a in asked if a.operator not in PATTERNS]
    ways = _with_patterns(base, plain, patterns) if patterns else list(_ordered(base, plain))
    if ways is None or not timed:
        return ways
    moments = _times(base, timed)
    if moments is None or len(ways) * (len(moments) + 1) > _MOST:
        return None
    numbers = [i for i, _ in timed]
    return [*ways, *(_laid(way, numbers, moment) for way in ways for moment in moments)]


def _laid(way: list[int], numbers: Sequence[int], other: list[int]) -> list[int]:
    both = way.copy()
    for i in numbers:
        both[i] = other[i]
    return both


def _with_patterns(base: list[int], plain: _Asked, patterns: _Asked) -> list[list[int]] | None:
    points = _points(plain)
    between = _between(plain)
    found: list[list[int]] = []
    for (at, _), way in zip(_places(points, plain), _ordered(base, plain), strict=True):
        after, before = (points[at // 2 - 1 : at // 2], points[at // 2 :]) if between else ([], [])
        place = Place(None, *after or [None], *before[:1] or [None])
        answers = places(Place(points[at // 2]) if at % 2 else place, patterns, _MOST_PATTERNS)
        if answers is None or len(found) + len(answers) > _MOST:
            return None
        for each in answers:
            full = way.copy()
            for i, answer in each.items():
                full[i] = answer
            found.append(full)
    return found


_SIGNED: dict[str, Callable[[int], bool]] = {
    "=": lambda side: side == 0,
    "<": lambda side: side < 0,
    "<=": lambda side: side <= 0,
    ">": lambda side: side > 0,
    ">=": lambda side: side >= 0,
}


def _times(base: list[int], asked: _Asked, days: bool = False) -> list[list[int]] | None:
    points = list(dict.fromkeys(a.operand for _, a in asked))
    number = {point: n for n, point in enumerate(points)}
    found = signs(points, days)
    if found is None:
        return None
    tests = [(i, _SIGNED[a.operator], number[a.operand]) for i, a in asked]
    ways = []
    for sides in found:
        way = base.copy()
        for i, holds, at in tests:
            way[i] = HOLDS if holds(sides[at]) else FALSE
        ways.append(way)
    return ways


def _lengths(atoms: Sequence[Atom]) -> Iterator[list[int]]:
    """What whole numbers from 0 on answer, which is what `length` gives, also of what is empty."""
    base = [FALSE if a.operator == "empty" else UNSURE for a in atoms]
    asked = [(i, a) for i, a in enumerate(atoms) if a.sort == "number"]
    points = _points(asked)
    for (place, _), way in zip(_places(points, asked), _ordered(base, asked), strict=True):
        if place % 2:
            possible = points[place // 2] >= 0 and points[place // 2] % 1 == 0
        else:
            least = max(points[place // 2 - 1] // 1 + 1, 0) if place else 0
            possible = not _between(asked) or place == 2 * len(points) or least < points[place // 2]
        if possible:
            yield way


# -- how two values lie to each other -----------------------------------------------------------

_CERTAIN = (Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE, Kind.DATETIME)


def _lie(subject: Subject, atoms: Sequence[Atom]) -> list[Answers]:
    left, right = (kind_of(each) for each in subject.operands)
    same = key_of(subject.operands[0]) == key_of(subject.operands[1])
    found: list[Answers] = [(FALSE,) * len(atoms)]  # one of them is empty
    if left is not right or left not in _CERTAIN:
        found.append((UNSURE,) * len(atoms))
    sides = (0,) if same else (-1, 0, 1)
    found += [tuple(HOLDS if _SIGNED[a.operator](side) else FALSE for a in atoms) for side in sides]
    if left not in (Kind.TEXT, Kind.NUMBER, Kind.DATE, Kind.DATETIME):  # booleans have no order
        equal = (HOLDS,) if same else (HOLDS, FALSE)
        found += [tuple(e if a.operator == "=" else UNSURE for a in atoms) for e in equal]
    return list(dict.fromkeys(found))
