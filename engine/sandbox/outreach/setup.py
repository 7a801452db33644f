"""How a sandbox org is set up: what an administrator, or the vendor, decides about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = ["Setup"]


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of an org.

    `access` is how long an access token lives, `refresh` how long a refresh token. `pause` lies at
    least between two access tokens: a minute as the vendor has it. If `strict`, the identity's
    refresh token dies once it has been changed for another, as any other does. `slow` is how many
    seconds an answer takes that is `slow`, `late` how long a written row that is `late` stays out
    of lists.
    """

    access: timedelta = timedelta(hours=2)
    refresh: timedelta = timedelta(days=14)
    pause: timedelta = timedelta(0)
    strict: bool = False
    slow: float = 3.0
    late: timedelta = timedelta(seconds=3)
