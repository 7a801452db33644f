"""What the worker does next: what somebody asked for, then the steps that are due."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Container, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

from engine.model import Side
from engine.ports import Clock
from engine.service.desk import Desk
from engine.service.state import Step

__all__ = ["Agenda", "Job", "Pace"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class Job:
    """Work that somebody waits for."""

    what: str
    work: Callable[[Desk], Any]
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds: from a webhook's hint to its cycle, since hints come in bursts; the rests while
    something cannot be used; and from one look at the clocks to the next, since they may jump.
    """

    debounce: float = 1.0
    first_rest: float = 2.0
    longest_rest: float = 300.0
    look: float = 1.0


class Agenda:
    """Any thread adds to it; the worker takes from it."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock, self._pace = clock, pace
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._due: dict[Step, float] = {}
        self._rest_until, self._rests = 0.0, 0
        self._waits: dict[Side, datetime] = {}
        self._ended = False

    # -- adding ---------------------------------------------------------------------------------

    def ask(self, what: str, work: Callable[[Desk], _T]) -> Future[_T]:
        """Have some work done; its future is cancelled if there is no more time for it."""
        future: Future[_T] = Future()
        with self._changed:
            if self._ended:
                future.cancel()
            else:
                self._jobs.append(Job(what, work, future))
                self._changed.notify()
        return future

    def reload(self) -> None:
        """Have the rules read again, before anything else."""
        with self._changed:
            if not self._ended and all(job.what != "reload" for job in self._jobs):
                self._jobs.appendleft(Job("reload", lambda _desk: None, Future()))
                self._changed.notify()

    def mark(self, steps: Iterable[Step], wait: float = 0.0) -> None:
        """These steps are due so many seconds from now, if they are not sooner."""
        with self._changed:
            at = monotonic() + wait
            for step in steps:
                self._due[step] = min(self._due.get(step, at), at)
            self._changed.notify()

    def hint(self, steps: Iterable[Step]) -> None:
        """Something happened that these steps carry."""
        self.mark(steps, self._pace.debounce)

    def end(self) -> None:
        """Nothing more is done, and what waits is cancelled."""
        with self._changed:
            self._ended = True
            for job in self._jobs:
                job.future.cancel()
            self._jobs.clear()
            self._changed.notify()

    # -- waiting --------------------------------------------------------------------------------

    def rest(self) -> None:
        """No step for a while: longer each time, and not in step with other services."""
        longest = min(self._pace.first_rest * 2**self._rests, self._pace.longest_rest)
        self._rests = min(self._rests + 1, 30)
        self._rest_until = monotonic() + longest * random.uniform(0.5, 1.0)  # noqa: S311

    def rested(self) -> None:
        """All can be used again."""
        self._rest_until, self._rests = 0.0, 0

    def wait_for(self, side: Side, until: datetime) -> None:
        """No step until a side has calls again: each needs both."""
        self._waits[side] = until

    def wait_no_more(self) -> None:
        """Other budgets hold from now on."""
        self._waits = {}

    def waits(self) -> tuple[tuple[Side, datetime], ...]:
        """Until when there are no calls, by side."""
        now = self._clock.now()
        return tuple((side, until) for side, until in self._waits.items() if until > now)

    # -- taking ---------------------------------------------------------------------------------

    def next(self, known: Container[Step]) -> Job | tuple[Step, ...] | None:
        """What is to be done next, as soon as there is something; None to end.

        All steps that are due are one cycle. Those that are not `known` any more are dropped.
        """
        with self._changed:
            while not self._ended:
                if self._jobs:
                    return self._jobs.popleft()
                now = monotonic()
                at = max(min(self._due.values(), default=now + 3600), self._rest_until)
                if at <= now and not self.waits():
                    due = tuple(step for step, when in self._due.items() if when <= now)
                    for step in due:
                        del self._due[step]
                    if steps := tuple(step for step in due if step in known):
                        return steps
                    continue
                # A budget ends by the wall clock, of which a sleeping machine's timers know nothing
                left = at - now if at > now else self._pace.look
                self._changed.wait(min(left, self._pace.look))
            return None
