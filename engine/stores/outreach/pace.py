"""Outreach's own limits: what its answers say is left, and how long to wait for more."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from engine.model import Side
from engine.ports import BudgetSpent, Usage

__all__ = ["Pace"]

_NUMBER = re.compile(r"\d+")
_USUAL = 10_000  # requests an hour that Outreach lets one user make, unless it says otherwise
_HOUR = 3600.0
_SPARE = 20  # requests that writes leave to reads
_EPOCH = 1_000_000_000  # a smaller number is no epoch second, but seconds from now
_GLANCE = 0.02  # seconds until a request that waits for others' answers looks again
_UNTOLD = 5.0  # seconds to wait where a refusal does not say how long
_SLACK = 0.5  # seconds that a window may end later than its whole second says


@dataclass
class Pace:
    """Lets requests go as long as both of Outreach's counts have room for them and those under way.

    Where they wait longer than `patience` seconds, they are refused with `BudgetSpent`.
    """

    patience: float = 60.0
    clock: Callable[[], float] = time.time
    under_way: int = 0
    _most: int = _USUAL
    _used: int = 0
    _left: int | None = None
    _resets: float = 0.0
    _paused: float = field(default=0.0)

    async def turn(self, *, reading: bool = True) -> None:
        """Wait until one more request may go, and count it as under way. Raises `BudgetSpent`.

        Writes leave some for reading back what was written: unread, none of it is known to be done.
        """
        spare = 0 if reading else _SPARE
        while True:
            now = self.clock()
            if self._left is not None and now >= self._resets:
                self._left, self._used = None, 0
            wait = self._paused - now
            if wait <= 0:
                if self._left is None or self._left > self.under_way + spare:
                    self.under_way += 1
                    return
                wait = self._resets - now if self._left <= spare else _GLANCE
            if wait > self.patience:
                raise self.spent(now + wait)
            await asyncio.sleep(min(wait, 1.0))

    def note(self, headers: Mapping[str, str]) -> None:
        """Take in what an answer's headers say; answers may overtake each other."""
        limits, left = (
            _numbers(headers, "X-RateLimit-Limit"),
            _numbers(headers, "X-RateLimit-Remaining"),
        )
        if not left:
            return
        resets = self._moment(headers)
        if limits:
            self._most = limits[0]
            self._used = max(limits[0] - left[0], self._used if resets <= self._resets else 0)
        known = self._left if resets <= self._resets else None
        self._left = min(left) if known is None else min(*left, known)
        self._resets = max(resets, self._resets)

    def pause(self, headers: Mapping[str, str]) -> None:
        """Outreach refused a request for now: nothing goes before it says. Raises `BudgetSpent`."""
        told = _numbers(headers, "Retry-After")
        now = self.clock()
        if told:
            until = now + told[0]
        elif "X-RateLimit-Reset" in headers:
            until = self._moment(headers)
        else:
            until = now + _UNTOLD
        if until - now > self.patience:
            self._left, self._resets = 0, until
            raise self.spent(until)
        self._paused = max(self._paused, until)

    def usage(self) -> Usage:
        """The requests of this hour, as Outreach told last."""
        resets = self._resets if self._resets > self.clock() else self.clock() + _HOUR
        used = self._used if self._resets > self.clock() else 0
        return Usage(used, self._most, datetime.fromtimestamp(resets, UTC), "hour")

    def spent(self, until: float) -> BudgetSpent:
        """The refusal of what would have to wait too long."""
        moment = datetime.fromtimestamp(until, UTC).replace(microsecond=0) + timedelta(seconds=1)
        return BudgetSpent(
            f"waits for Outreach's own limit of {self._most:,} requests an hour until"
            f" {moment:%H:%M} UTC",
            Side.OUTREACH,
            moment,
        )

    def _moment(self, headers: Mapping[str, str]) -> float:
        told = _numbers(headers, "X-RateLimit-Reset")
        if not told:
            return self._resets if self._resets > self.clock() else self.clock() + _HOUR
        last = max(told)
        return (float(last) if last >= _EPOCH else self.clock() + last) + _SLACK


def _numbers(headers: Mapping[str, str], name: str) -> Sequence[int]:
    """The numbers of a header; Outreach has been seen to tell several (`"9999, 19988"`)."""
    return _read(headers.get(name, ""))


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in _NUMBER.findall(text))
