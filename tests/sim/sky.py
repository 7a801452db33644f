"""What hangs over a whole history: chance, the clock, the trace, and what befalls each call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from engine.model import RecordId, Side, Value
from engine.ports import StoreError, Unreachable

__all__ = ["LAG", "Crash", "Sky", "Spot", "Temper"]

LAG = timedelta(minutes=15)
Spot = tuple[Side, str, RecordId]


class Crash(BaseException):
    """The process is gone: nothing in it runs any further."""


@dataclass(frozen=True)
class Temper:
    """How likely each mishap is, at each call."""

    unreachable: float = 0.0
    unanswered: float = 0.0
    locked: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    expired: float = 0.0
    spent: float = 0.0
    crash: float = 0.0
    users: float = 0.0

    @classmethod
    def drawn(cls, rng: Random) -> Temper:
        """One history has a few kinds of mishap, and the more of each the fewer they are."""
        names = list(cls.__dataclass_fields__)
        return cls(**{n: rng.choice((0.0, 0.0, 0.01, 0.03, 0.1)) for n in names[:-1]}).with_users(
            rng.choice((0.0, 0.03, 0.15))
        )

    def with_users(self, users: float) -> Temper:
        return Temper(**{**self.__dict__, "users": users})


class SkewedClock:
    """An org's clock, which is not the engine's."""

    def __init__(self, sky: Sky, skew: timedelta) -> None:
        self._sky = sky
        self._skew = skew

    def now(self) -> datetime:
        return self._sky.moment + self._skew


@dataclass
class Sky:
    """`tick` counts the events; what was seen, edited and written is told apart by it.

    `began` tells when a type was last read from its beginning.
    """

    rng: Random
    temper: Temper
    moment: datetime = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    tick: int = 0
    trace: list[str] = field(default_factory=list)
    dead: bool = False
    busy_until: datetime | None = None
    meanwhile: Callable[[], None] = lambda: None
    visible: dict[Spot, datetime] = field(default_factory=dict)
    read: dict[Spot, int] = field(default_factory=dict)
    unread: set[Spot] = field(default_factory=set)
    began: dict[tuple[Side, str], int] = field(default_factory=dict)

    def now(self) -> datetime:
        """The engine's clock."""
        return self.moment

    def pass_(self, **time: float) -> None:
        self.moment += timedelta(**time)

    def happens(self, chance: float) -> bool:
        return chance > 0 and self.rng.random() < chance

    def note(self, text: str) -> None:
        self.tick += 1
        self.trace.append(f"{self.tick:4} {self.moment:%d %H:%M:%S} {text}")

    def calm(self) -> None:
        """From now on nothing befalls anybody."""
        self.temper, self.busy_until = Temper(), None

    def clock(self, skew: timedelta) -> SkewedClock:
        return SkewedClock(self, skew)

    # -- what befalls a call --------------------------------------------------------------------

    def boundary(self, what: str) -> None:
        """A place where the process may be gone."""
        if self.dead:
            raise Crash
        if self.happens(self.temper.crash):
            self.dead = True
            self.note(f"CRASH {what}")
            raise Crash

    def before_call(self, what: str) -> None:
        self.boundary(f"before {what}")
        self.moment += timedelta(seconds=self.rng.choice((0, 1, 7)))
        if self.happens(self.temper.users):
            self.meanwhile()
        if self.busy_until is None and self.happens(self.temper.spent / 4):
            self.busy_until = self.moment + timedelta(hours=1)
        if self.busy_until is not None and self.moment < self.busy_until:
            self.note(f"REFUSED {what}: the budget is spent")
            raise Unreachable("the call budget is spent")
        self.busy_until = None
        if self.happens(self.temper.expired):
            self.note(f"EXPIRED before {what}")
            raise StoreError("the access token has expired")
        if self.happens(self.temper.unreachable):
            self.note(f"UNREACHABLE before {what}")
            raise Unreachable("no answer")

    # -- what is seen ---------------------------------------------------------------------------

    def saw(self, spot: Spot) -> None:
        self.read[spot] = self.tick
        self.unread.discard(spot)

    def wrote(self, spot: Spot) -> None:
        """A record was written: it may be a while until scans show it."""
        self.visible.pop(spot, None)
        if self.happens(self.temper.late * 3):
            self.visible[spot] = self.moment + LAG * self.rng.random()

    def hidden(self, spot: Spot) -> bool:
        return spot in self.visible and self.visible[spot] > self.moment


def shown(values: dict[str, Value] | Any) -> str:
    """Values as the trace tells them."""
    return " ".join(f"{name}={value!r}" for name, value in sorted(values.items()))
