"""What was refused in a run is not sent again in it: a record may be seen from both its sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from engine.case import Change
from engine.model import Outcome, Result

__all__ = ["Refusals"]

_encode = msgspec.json.Encoder().encode
_Task = TypeVar("_Task")


@dataclass
class Refusals:
    """The changes of a run that a vendor refused for good, with its answers."""

    _known: dict[tuple[Any, ...], Result] = field(default_factory=dict)

    def note(self, pair: str, changes: Sequence[Change], results: Sequence[Result]) -> None:
        """Remember those of these answers that are refusals."""
        for change, result in zip(changes, results, strict=True):
            # One without any record is seen once: two people of a list may have equal fields.
            nobody = change.salesforce_id is None and change.outreach_id is None
            if result.outcome is Outcome.REFUSED and not nobody:
                self._known[_fingerprint(pair, change)] = result

    def part(
        self, pair: str, planned: Sequence[tuple[_Task, Change]]
    ) -> tuple[list[tuple[_Task, Change, Result]], list[tuple[_Task, Change]]]:
        """The changes that were refused before, with the answer, and those still to be sent."""
        if not self._known:
            return [], list(planned)
        again, new = [], []
        for task, change in planned:
            result = self._known.get(_fingerprint(pair, change))
            if result is None:
                new.append((task, change))
            else:
                again.append((task, change, result))
        return again, new


def _fingerprint(pair: str, change: Change) -> tuple[Any, ...]:
    """What makes two changes the same to a vendor."""
    values = _encode([(f.line, f.value) for f in change.fields])
    return pair, change.action, change.direction, change.salesforce_id, change.outreach_id, values
