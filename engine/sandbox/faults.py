"""What goes wrong at a sandbox server, by a seed: as in `429=0.02,reset=0.01,lock=0.05`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["KINDS", "Faults", "FaultsError", "faults"]

#: What can be asked for, and what it does; a number is how often, from 0 to 1.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "before": "the connection closes before anything was done",
        "after": "all is done, and the connection closes before the answer",
        "reset": "the connection is reset in the middle of the answer",
        "truncated": "the answer's body ends in the middle",
        "slow": "the answer takes some seconds",
        "401": "the access token is expired before its time",
        "429": "too many requests, with the vendor's own header",
        "500": "an internal error, before anything was done",
        "503": "unavailable, before anything was done",
        "lock": "a record's row is locked (Salesforce)",
        "half": "of a collection some records are refused as transient (Salesforce)",
        "job": "a bulk job fails; what it has done by then is done (Salesforce)",
        "late": "a written row is visible only some seconds later",
        "lost": "a webhook is not delivered (Outreach)",
        "doubled": "a webhook is delivered twice (Outreach)",
        "reordered": "a webhook comes after a later one (Outreach)",
    }
)


class FaultsError(ValueError):
    """A spec that cannot be read; the message says what to write instead."""


@dataclass
class Faults:
    """Draws from a seed. Not for several threads at once; each server has its own."""

    odds: Mapping[str, float]
    draws: random.Random

    def happens(self, kind: str) -> bool:
        """Whether it goes wrong this time; draws only for what was asked for."""
        odds = self.odds.get(kind, 0.0)
        return odds > 0 and self.draws.random() < odds


def faults(spec: str = "", seed: int = 0) -> Faults:
    """What a spec asks for: `KIND=ODDS` with commas, or `all=ODDS`. Raises `FaultsError`."""
    odds: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in spec.split(","))):
        kind, _, number = part.partition("=")
        kind = kind.strip()
        if kind != "all" and kind not in KINDS:
            known = ", ".join(KINDS)
            raise FaultsError(f"`{kind}` is no fault; known are {known}, and `all`")
        try:
            each = float(number)
        except ValueError:
            each = -1.0
        if not 0 <= each <= 1:
            raise FaultsError(f"`{part}`: write how often from 0 to 1, as in `{kind}=0.02`")
        odds |= dict.fromkeys(KINDS, each) if kind == "all" else {kind: each}
    return Faults(odds, random.Random(seed))  # noqa: S311 - faults by a seed are no secret
