"""Rows that lists show only some seconds after they were written, if that is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from engine.ports import Clock
from engine.sandbox.faults import Faults

__all__ = ["Hiding"]


@dataclass
class Hiding:
    """The records that are not in lists yet; `late` is how long they stay away."""

    faults: Faults
    clock: Clock
    late: timedelta
    _until: dict[str, dict[int, float]] = field(default_factory=dict)

    def written(self, type_name: str, record: int) -> None:
        """A record was written, and may be late."""
        if self.faults.happens("late"):
            until = (self.clock.now() + self.late).timestamp()
            self._until.setdefault(type_name, {})[record] = until

    def now(self) -> dict[str, dict[int, float]]:
        """The ids that are hidden now, by type."""
        if self._until:
            moment = self.clock.now().timestamp()
            for name, ids in list(self._until.items()):
                self._until[name] = {i: until for i, until in ids.items() if until > moment}
        return self._until
