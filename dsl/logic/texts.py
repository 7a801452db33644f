"""Where a text can lie to the texts and patterns that a condition compares it with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dsl.evaluate import contains_match
from dsl.logic.formula import FALSE, HOLDS, Atom

__all__ = ["PATTERNS", "Place", "places"]

PATTERNS = frozenset({"contains", "starts with", "ends with", "matches"})

# Folding makes one text of these and of a single letter, and `matches` tells the two apart.
_LIGATURES = ("ss", "ff", "fi", "fl", "st")


class Place(NamedTuple):
    """A text that is one of those compared with, or any between two of them (None: no bound)."""

    text: str | None
    after: str | None = None
    before: str | None = None


def places(
    place: Place, patterns: Sequence[tuple[int, Atom]], most: int
) -> list[dict[int, int]] | None:
    """The answers that texts of a place can give to the patterns, by the atoms' numbers.

    There may be more than any text gives, never fewer. None if they are too many.
    """
    found: list[list[int]] = [[]]
    for number, (_, new) in enumerate(patterns):
        found = [
            [*answers, answer]
            for answers in found
            for answer in _answers(place, new)
            if place.text is not None or _agrees(answers, patterns[:number], answer, new)
        ]
        if len(found) > most:
            return None
    return [dict(zip((i for i, _ in patterns), answers, strict=True)) for answers in found]


# -- one pattern --------------------------------------------------------------------------------


def _answers(place: Place, atom: Atom) -> Iterator[int]:
    operator, pattern = atom.operator, str(atom.operand)
    if place.text is not None:
        yield from _known(operator, place.text, pattern)
        return
    yield FALSE
    if operator != "starts with" or _reaches(place, pattern):
        yield HOLDS


def _known(operator: str, text: str, pattern: str) -> tuple[int, ...]:
    if operator == "matches":
        if not _reads_alike(text, pattern):
            return (FALSE, HOLDS)
        holds = contains_match(text, pattern)
    else:
        holds = _implied(operator, pattern, "=", text)
    return (HOLDS,) if holds else (FALSE,)


def _reads_alike(text: str, pattern: str) -> bool:
    """Whether a pattern is sure to say the same of every text that is folded to this one."""
    if not text.isascii() or any(pair in text for pair in _LIGATURES):
        return False
    if "(?" in pattern:
        return False
    # The sign for kelvin and the long s are folded too, and are no letters to these.
    subtle = any(word in pattern for word in ("\\b", "\\B", "\\C"))
    return not (subtle and ("k" in text or "s" in text))


def _reaches(place: Place, prefix: str) -> bool:
    """Whether there is a text between the two bounds that starts so."""
    after, before = place.after, place.before
    if before is not None and before <= prefix:
        return False
    return after is None or after < prefix or after.startswith(prefix)


# -- several patterns ---------------------------------------------------------------------------


def _agrees(
    answers: Sequence[int], olds: Sequence[tuple[int, Atom]], answer: int, new: Atom
) -> bool:
    """Whether a text may give this answer to a pattern beside those it gave to others."""
    return all(
        _compatible(given, old, answer, new)
        for given, (_, old) in zip(answers, olds, strict=True)
        if old.operator != "matches"
    )


def _compatible(given: int, old: Atom, answer: int, new: Atom) -> bool:
    a, b = str(old.operand), str(new.operand)
    if given == FALSE:
        return answer == FALSE or not _implied(old.operator, a, new.operator, b)
    if answer == FALSE:
        return not _implied(new.operator, b, old.operator, a)
    if old.operator == new.operator == "starts with":
        return a.startswith(b) or b.startswith(a)
    if old.operator == new.operator == "ends with":
        return a.endswith(b) or b.endswith(a)
    return True


def _implied(operator: str, pattern: str, known: str, text: str) -> bool:
    """Whether a text that is (`=`), contains, starts or ends with `text` also does `operator`."""
    if operator == "contains":
        return known != "matches" and pattern in text
    if operator == "starts with":
        return known in ("=", "starts with") and text.startswith(pattern)
    if operator == "ends with":
        return known in ("=", "ends with") and text.endswith(pattern)
    return False
