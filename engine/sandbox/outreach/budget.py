"""How many requests the server still answers this hour, counted in the org with everybody's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from engine.ports import Clock
from engine.sandbox.outreach.errors import ApiError
from engine.stores.local.calls import count_calls, usage
from engine.stores.local.org import OrgFile

__all__ = ["Budget", "too_many"]

#: So many requests, or seconds, are counted before they are written to the file.
_AT_ONCE, _SECONDS = 50, 0.5


@dataclass
class Budget:
    """Counts requests; those of other processes are known of after half a second."""

    org: OrgFile
    clock: Clock
    limit: int
    _used: int = 0
    _pending: int = 0
    _until: datetime | None = None
    _read: datetime | None = field(default=None)

    def count(self) -> dict[str, str]:
        """Count a request; the headers that tell of it. Raises `ApiError` if there are too many."""
        now = self.clock.now()
        stale = self._read is None or abs((now - self._read).total_seconds()) >= _SECONDS
        if stale or self._until is None or now >= self._until or self._pending >= _AT_ONCE:
            self.flush()
        assert self._until is not None  # noqa: S101 - `flush` has set it
        left = self.limit - self._used - self._pending
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, left - 1)),
            "X-RateLimit-Reset": str(int(self._until.timestamp())),
        }
        if left <= 0:
            raise too_many(self.limit, self._until, now, headers)
        self._pending += 1
        return headers

    def flush(self) -> None:
        """Write down what was counted, and read what all have used."""
        if self._pending:
            count_calls(self.org, self._pending)
            self._pending = 0
        found = usage(self.org)
        self._used, self._until, self._read = found.used, found.resets_at, self.clock.now()


def too_many(limit: int, until: datetime, now: datetime, headers: dict[str, str]) -> ApiError:
    """The refusal of a request that is one too many."""
    at = f"{until:%Y-%m-%dT%H:%M:%S}"
    detail = f"You have exceeded your permitted rate limit of {limit:,}; please try again at {at}."
    wait = {"Retry-After": str(max(1, round((until - now).total_seconds())))}
    return ApiError(429, "rateLimitExceeded", [(detail, None)], headers | wait)
