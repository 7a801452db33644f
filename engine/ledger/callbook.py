"""The calls that were reserved, in the ledger: whoever sends one has it counted there before."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from engine.ledger.hot import transaction
from engine.model import Side

__all__ = ["CallBook", "Spent", "Stalled", "Window"]

_KEPT = 100  # windows of each kind that are kept, for people to look at


class Window(NamedTuple):
    """A `day` or an `hour`, by the stamp of its first moment."""

    period: str
    start: str


class Spent(NamedTuple):
    """The calls of one window: reserved in all, and of those known to have been sent."""

    used: int = 0
    sent: int = 0

    @property
    def under_way(self) -> int:
        """Reserved, and perhaps not yet in the vendor's own count."""
        return self.used - self.sent


class Stalled(NamedTuple):
    """A step that waits for a side's budget until a stamp; one without a name stands for writes."""

    step: str
    side: str
    until: str


class CallBook:
    """Reservations of calls; each method is one transaction. Raises `LedgerError`."""

    def __init__(self, driver: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        self._driver = driver

    def spent(self, side: Side, windows: Sequence[Window]) -> list[Spent]:
        """The calls of these windows."""
        with self._driver() as connection:
            return [_spent(connection, side, window) for window in windows]

    def reserve(
        self,
        side: Side,
        windows: Sequence[Window],
        sent: int,
        amount: Callable[[list[Spent]], int],
    ) -> int:
        """Count `sent` calls as sent, and reserve as many more as `amount` says; how many.

        `amount` is told the windows' calls while nobody else can reserve any.
        """
        with self._driver() as connection, transaction(connection):
            _add(connection, side, windows, 0, sent)
            count = amount([_spent(connection, side, window) for window in windows])
            if count:
                _add(connection, side, windows, count, 0)
        return count

    def settle(self, side: Side, windows: Sequence[Window], unused: int, sent: int) -> None:
        """Give back reservations that were not used (below zero: there were more calls)."""
        if unused or sent:
            with self._driver() as connection, transaction(connection):
                _add(connection, side, windows, -unused, sent)

    # -- what waits -----------------------------------------------------------------------------

    def stalled(self) -> list[Stalled]:
        """What the last run left for want of calls, in the order in which it came to it."""
        with self._driver() as connection:
            rows = connection.execute("SELECT step, side, until FROM stalled ORDER BY place")
            return [Stalled(*row) for row in rows]

    def stall(self, steps: Sequence[Stalled]) -> None:
        """Keep what a run left for want of calls."""
        if list(steps) == self.stalled():
            return
        with self._driver() as connection, transaction(connection):
            connection.execute("DELETE FROM stalled")
            connection.executemany(
                "INSERT INTO stalled (step, side, until) VALUES (?, ?, ?)", list(steps)
            )

    def waiting(self) -> int:
        """How many records wait for calls to be written."""
        with self._driver() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM (SELECT DISTINCT pair, side, record_id FROM pending"
                " WHERE why = 'budget')"
            ).fetchone()
        return int(count)


def _spent(connection: sqlite3.Connection, side: Side, window: Window) -> Spent:
    row = connection.execute(
        "SELECT used, sent FROM budget WHERE side = ? AND period = ? AND start = ?",
        (side, *window),
    ).fetchone()
    return Spent(*row) if row else Spent()


def _add(
    connection: sqlite3.Connection, side: Side, windows: Sequence[Window], used: int, sent: int
) -> None:
    for window in windows:
        changed = connection.execute(
            "UPDATE budget SET used = max(used + ?, 0), sent = sent + ?"
            " WHERE side = ? AND period = ? AND start = ?",
            (used, sent, side, *window),
        )
        if not changed.rowcount and (used or sent):
            connection.execute(
                "INSERT INTO budget VALUES (?, ?, ?, ?, ?)", (side, *window, max(used, 0), sent)
            )
            connection.execute(
                "DELETE FROM budget WHERE side = ?1 AND period = ?2 AND start <= (SELECT start"
                " FROM budget WHERE side = ?1 AND period = ?2 ORDER BY start DESC LIMIT 1"
                " OFFSET ?3)",
                (side, window.period, _KEPT),
            )
