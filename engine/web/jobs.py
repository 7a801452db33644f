"""What was asked of the worker through the console, and what came of it."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

__all__ = ["Job", "Jobs"]

_KEPT = 50


@dataclass(frozen=True)
class Job:
    """One piece of work; `what` is `run`, `plan`, `retry`, `resume`, `approve PLAN`."""

    id: str
    what: str
    who: str
    future: Future[Any]
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
        job = Job(f"j-{secrets.token_hex(6)}", what, who, future)
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > _KEPT:
                self._jobs.popitem(last=False)
        return job

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
            found = [j for j in reversed(self._jobs.values()) if what is None or j.what == what]
        return found[:most]
