"""Remembers from one check of the rules to the next what was concluded of parts that stay."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import is_
from typing import NamedTuple, TypeVar

__all__ = ["Memo"]

_T = TypeVar("_T")
_H = TypeVar("_H", bound=Hashable)


class _Entry(NamedTuple):
    subject: object
    needs: tuple[object, ...]
    value: object


class Memo:
    """Conclusions by the very objects that they were drawn from.

    `turn` begins a new round: what no round asks for is forgotten at the end of the next.
    """

    def __init__(self) -> None:
        self._old: dict[tuple[str, int], _Entry] = {}
        self._new: dict[tuple[str, int], _Entry] = {}
        self._values: dict[Hashable, Hashable] = {}

    def turn(self) -> None:
        self._old, self._new = self._new, {}

    def of(
        self,
        what: str,
        subject: object,
        make: Callable[[], _T],
        needs: tuple[object, ...] = (),
    ) -> _T:
        """What `make` makes of `subject` and `needs`, made anew only if one of them is another.

        `what` tells conclusions of one subject apart.
        """
        key = (what, id(subject))
        entry = self._new.get(key) or self._old.get(key)
        if entry is None or entry.subject is not subject or not _same(entry.needs, needs):
            entry = _Entry(subject, needs, make())
        self._new[key] = entry
        value: _T = entry.value  # type: ignore[assignment]
        return value

    def same(self, value: _H) -> _H:
        """The equal value that an earlier round had, so that it can be told by identity."""
        kept: _H = self._values.get(value, value)  # type: ignore[assignment]
        self._values = {kept: kept}
        return kept


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return one is other or (len(one) == len(other) and all(map(is_, one, other)))
