"""When each step is due: an interval job of APScheduler for each, which only says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from dsl.program import Pair, Program
from engine.model import DIRECTIONS, Direction
from engine.service.state import Step

__all__ = ["Schedule", "intervals"]

_DEFAULT = {Direction.INBOUND: 600, Direction.OUTBOUND: 15}  # seconds
_TOGGLES = {Direction.INBOUND: "polling", Direction.OUTBOUND: "pushing"}
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

    def start(self, steps: dict[Step, timedelta]) -> None:
        """Begin with these steps."""
        self.set(steps)
        self._scheduler.start()

    def set(self, steps: dict[Step, timedelta]) -> None:
        """Go on with these steps; one whose interval stays keeps its place."""
        known = {job.id: job for job in self._scheduler.get_jobs()}
        wanted = {_name(step): step for step in steps}
        for name in known.keys() - wanted.keys():
            self._scheduler.remove_job(name)
        for name, step in wanted.items():
            interval = steps[step]
            if name in known and known[name].trigger.interval == interval:
                continue
            self._scheduler.add_job(
                self._due,
                "interval",
                args=(step,),
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

    def stop(self) -> None:
        """No more ticks."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


def _name(step: Step) -> str:
    return f"{step.pair} {step.direction}"
