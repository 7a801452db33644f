"""Hard deletes that a store's scans do not tell of: known records are looked at in turn."""

from __future__ import annotations

from collections.abc import Sequence

from dsl.schema import Side
from engine.ledger import Ledger
from engine.mapping import Mapping
from engine.model import RecordId
from engine.ports import Store, Sweeping

__all__ = ["next_in_turn", "not_there"]


def next_in_turn(mapping: Mapping, side: Side, store: Store, ledger: Ledger) -> list[RecordId]:
    """The records, linked or waiting, that were longest not looked at: as many as a call answers.

    So an org whose links fit in a page notices a delete in the next cycle, and one with more in as
    many cycles as they are pages. Activities are left out, since nothing follows from their end.
    """
    if not isinstance(store, Sweeping) or not store.sweeps or mapping.pair.label:
        return []
    return ledger.turns.following(mapping.name, side, store.page_size)


def not_there(
    mapping: Mapping, side: Side, store: Store, ids: Sequence[RecordId]
) -> list[RecordId]:
    """Those of these records that do not exist, or cannot be seen."""
    there = {row[0] for row in store.fetch(mapping.type_name(side), [], ids)}
    return [record for record in ids if record not in there]
