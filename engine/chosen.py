"""A cycle over chosen records instead of over what changed: saved plans, retries, resyncs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dsl.schema import Side
from engine.model import Cursor, Outcome, Page, RecordId, Result
from engine.ports import Store

__all__ = ["Chosen", "Partner"]

_PAGE = 1000


@dataclass(frozen=True)
class Partner:
    """A record held for review, and the one of the other side that a person linked it to.

    If the other one is linked already, it `moves`: that link ends.
    """

    pair: str
    side: Side
    record: RecordId
    other: RecordId
    moves: bool = False


@dataclass
class Chosen:
    """The records that a cycle looks at, by pair and side.

    `made` is what the cycle itself has written since, by side and type: pairs that share a type
    look at that as well, as they do in a cycle over all that changed.
    """

    ids: Mapping[tuple[str, Side], Sequence[RecordId]]
    made: dict[tuple[Side, str], dict[RecordId, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def note(self, side: Side, type_name: str, results: Sequence[Result]) -> None:
        """Remember what was just written."""
        done = (r.id for r in results if r.outcome is Outcome.DONE)
        self.made[side, type_name].update((record, None) for record in done if record is not None)

    def add(self, pair: str, side: Side, ids: Sequence[RecordId]) -> None:
        """Choose more records, which the caller looks at by itself."""
        self._sets[pair, side].update(ids)

    def has(self, pair: str, side: Side, record: RecordId) -> bool:
        """Whether a record is among the chosen ones."""
        return record in self._sets[pair, side]

    def __post_init__(self) -> None:
        self._sets: dict[tuple[str, Side], set[RecordId]] = defaultdict(set)
        self._sets.update({key: set(ids) for key, ids in self.ids.items()})

    def pages(
        self, pair: str, side: Side, type_name: str, columns: Sequence[str], store: Store
    ) -> Iterator[Page]:
        """The chosen records and those made since, as pages of a scan; there is at least one."""
        ids = list(dict.fromkeys([*self.ids.get((pair, side), ()), *self.made[side, type_name]]))
        for start in range(0, max(len(ids), 1), _PAGE):
            part = ids[start : start + _PAGE]
            rows = store.fetch(type_name, columns, part) if part else []
            by_id = {row[0]: row for row in rows}
            yield Page(
                [by_id[record] for record in part if record in by_id],
                [record for record in part if record not in by_id],
                Cursor("", part[-1] if part else ""),
                done=start + _PAGE >= len(ids),
            )
