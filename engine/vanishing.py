"""A circuit breaker: deletions are held where a whole type seems to vanish at once.

Somebody may have emptied a recycle bin by mistake, or taken a permission away; what is held goes on
with `crosswalk resume` or `crosswalk run --yes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from dsl.schema import Side
from engine.context import Context
from engine.mapping import Mapping
from engine.model import RecordId

__all__ = ["LEAST", "SHARE", "Vanishing"]

#: Deletions of one type and side in one run are held from so many on, and from this share of links.
LEAST = 20
SHARE = 0.2


@dataclass
class Vanishing:
    """Counts the deletions that one pair has seen in a run, by side."""

    mapping: Mapping
    context: Context
    _seen: dict[Side, set[RecordId]] = field(default_factory=lambda: defaultdict(set))

    def held(self, side: Side, gone: Sequence[RecordId]) -> dict[RecordId, str]:
        """Those of these deleted records that are held, and why; later ones are held with them."""
        if not gone or self.context.yes:
            return {}
        known = self.context.ledger.waits.vanished(self.mapping.name, side)
        resumed = {record for record, why in known.items() if why == "resumed"}
        new = [record for record in gone if record not in resumed]
        before = len(self._seen[side])
        self._seen[side].update(new)
        count, waiting = len(self._seen[side]), len(known) - len(resumed)
        if not new or (count < LEAST and not waiting):
            return {}
        total = self.context.ledger.link_count(self.mapping.name) + before
        if not waiting and count < SHARE * total:
            return {}
        name = self.mapping.type_name(side)
        why = (
            f"{max(count, waiting)} of {total} linked {name} records are gone from {side.title()}"
            " at once: if that is right, go on with `crosswalk resume` or `crosswalk run --yes`"
        )
        return dict.fromkeys(new, why)
