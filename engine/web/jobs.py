"""What was asked of the worker through the console, and what came of it."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

__all__ = ["Job", "Jobs"]

_KEPT = 50


@dataclass(frozen=True)
class Job:
    """One piece of work; `what` is `run`, `plan`, `retry`, `resume`, `approve PLAN`.

    `about` is what it is done to, such as a record's type and id; empty if that is all.
    """

    id: str
    what: str
    who: str
    future: Future[Any]
    about: tuple[str, ...] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def state(self) -> str:
        if not self.future.done():
            return "under way" if self.future.running() else "waiting"
        return "cancelled" if self.future.cancelled() else "failed" if self.trouble else "done"

    @property
    def trouble(self) -> str:
        """Why it failed, in words; empty if it did not, or is not done yet."""
        if not self.future.done() or self.future.cancelled():
            return ""
        error = self.future.exception()
        return "" if error is None else str(error) or type(error).__name__

    @property
    def result(self) -> Any:
        """What came of it, None before that or if it failed."""
        if self.state != "done":
            return None
        try:
            return self.future.result(0)
        except (TimeoutError, InvalidStateError):  # pragma: no cover - it was done
            return None


class Jobs:
    """The latest jobs, in memory."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = Lock()

    def add(self, what: str, future: Future[Any], who: str) -> Job:
        """Note a job; the oldest is forgotten."""
        with self._lock:
            return self._keep(what, future, who, ())

    def _keep(self, what: str, future: Future[Any], who: str, about: tuple[str, ...]) -> Job:
        job = Job(f"j-{secrets.token_hex(6)}", what, who, future, about)
        self._jobs[job.id] = job
        while len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        return job

    def once(
        self, what: str, start: Callable[[], Future[Any]], who: str, about: tuple[str, ...] = ()
    ) -> bool:
        """Ask for work, unless the same is asked for and not done yet; whether it was new.

        So a form that is sent twice does nothing twice. What approves a plan is also not asked for
        again once it is done.
        """
        with self._lock:
            same = next((j for j in self._latest() if (j.what, j.about) == (what, about)), None)
            again = what.startswith("approve ") and same is not None and not same.trouble
            if same is not None and (again or not same.future.done()):
                return False
            self._keep(what, start(), who, about)
        return True

    def get(self, name: str) -> Job | None:
        with self._lock:
            return self._jobs.get(name)

    def drop(self, what: str, is_it: Callable[[Any], bool]) -> None:
        """Forget the jobs of a kind with such a result."""
        for job in self.latest(what, _KEPT):
            if job.result is not None and is_it(job.result):
                with self._lock:
                    self._jobs.pop(job.id, None)

    def latest(self, what: str | None = None, most: int = 1) -> list[Job]:
        """The last ones (of a kind), the newest first."""
        with self._lock:
            found = [j for j in self._latest() if what is None or j.what == what]
        return found[:most]

    def concerning(self, about: tuple[str, ...]) -> Job | None:
        """The last job that was done to this."""
        with self._lock:
            return next((job for job in self._latest() if job.about == about), None)

    def _latest(self) -> Iterator[Job]:
        return reversed(self._jobs.values())
