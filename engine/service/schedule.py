"""When each step is due: an interval job of APScheduler for each, which only says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic, time
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from dsl.program import Pair, Program
from engine.model import DIRECTIONS, Direction
from engine.service.state import Step

__all__ = ["Schedule", "intervals"]

_DEFAULT = {Direction.INBOUND: 600, Direction.OUTBOUND: 15}  # seconds
_TOGGLES = {Direction.INBOUND: "polling", Direction.OUTBOUND: "pushing"}
_LEAP = 5.0  # seconds by which the two clocks part where one was set, or the machine slept
_JITTER = 0.1  # of the interval, so that steps of one interval do not all come at once


def intervals(program: Program) -> dict[Step, timedelta]:
    """Each step that the rules have on, with its interval."""
    return dict(step for pair in program.pairs for step in _steps(pair))


def _steps(pair: Pair) -> Iterator[tuple[Step, timedelta]]:
    for direction in DIRECTIONS:
        toggle = pair.toggle(_TOGGLES[direction])
        if toggle.on:
            seconds = toggle.every or _DEFAULT[direction]
            yield Step(pair.name, direction), timedelta(seconds=seconds)


class Schedule:
    """Tells `due` of each step at its interval, first at once; missed ticks come as one."""

    def __init__(self, due: Callable[[Step], None]) -> None:
        self._due = due
        self._scheduler = BackgroundScheduler(timezone=UTC, daemon=True)
        self._apart = time() - monotonic()
        self._ended = False
        self._chores: set[str] = set()

    def start(self, steps: dict[Step, timedelta]) -> None:
        """Begin with these steps."""
        self.set(steps)
        self._scheduler.start()

    def set(self, steps: dict[Step, timedelta]) -> None:
        """Go on with these steps; one whose interval stays keeps its place."""
        if self._ended:
            return
        known = {job.id: job for job in self._scheduler.get_jobs()}
        wanted = {_name(step): step for step in steps}
        for name in known.keys() - wanted.keys() - self._chores:
            self._scheduler.remove_job(name)
        for name, step in wanted.items():
            interval = steps[step]
            if name in known and known[name].trigger.interval == interval:
                continue
            self._add(name, interval, self._due, step)

    def chore(self, name: str, interval: timedelta, work: Callable[[], object]) -> None:
        """Something besides the steps, at once and then at its interval."""
        self._chores.add(name)
        self._add(name, interval, work)

    def _add(self, name: str, interval: timedelta, work: Callable[..., object], *args: Any) -> None:
        self._scheduler.add_job(
            work,
            "interval",
            args=args,
            id=name,
            seconds=interval.total_seconds(),
            jitter=interval.total_seconds() * _JITTER,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            replace_existing=True,
        )

    def next(self, step: Step) -> datetime | None:
        """When a step is due next."""
        job = self._scheduler.get_job(_name(step))
        found: datetime | None = getattr(job, "next_run_time", None)
        return found

    def look(self) -> None:
        """Mind a clock that was set, and a machine that slept, of which no timer knows.

        Ticks that were missed come now, as one; those that a clock set back put off come now too.
        """
        apart, before = time() - monotonic(), self._apart
        self._apart = apart
        if abs(apart - before) < _LEAP or not self._scheduler.running:
            return
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time > now + job.trigger.interval * (1 + 2 * _JITTER):
                job.modify(next_run_time=now)
        self._scheduler.wakeup()

    def stop(self) -> None:
        """No more ticks."""
        self._ended = True
        if self._scheduler.running:
            self._scheduler.shutdown()


def _name(step: Step) -> str:
    return f"{step.pair} {step.direction}"
