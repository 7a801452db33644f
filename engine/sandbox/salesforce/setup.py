"""How a sandbox org is set up: what an administrator, or an edition, decides about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

__all__ = ["Broken", "Setup", "Validation"]


@dataclass(frozen=True, slots=True)
class Broken:
    """What a validation rule says of a record that it does not let through."""

    message: str
    fields: tuple[str, ...] = ()


#: A validation rule: the record as it would be, by field name, to what is wrong with it, or None.
Validation = Callable[[Mapping[str, Any]], Broken | None]


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of an org; as they stand, those of one where everything is allowed.

    `hidden` are fields `(type, name)` that the user may not see, `read_only` types that the user
    may only read. Without `api` the org's edition has no API access. `scopes` are those that the
    connected app has; None are all. `duplicates` are the fields by type of which no two records may
    have the same values: a duplicate rule that blocks. `validations` are rules by type. `skew` is
    how far the org's clock is ahead of this machine's, `session` how long an access token lives,
    `late` how long a written row that is `late` stays out of queries.
    """

    hidden: frozenset[tuple[str, str]] = frozenset()
    read_only: frozenset[str] = frozenset()
    api: bool = True
    scopes: frozenset[str] | None = None
    duplicates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    validations: Mapping[str, tuple[Validation, ...]] = field(default_factory=dict)
    skew: timedelta = timedelta(0)
    session: timedelta = timedelta(hours=2)
    late: timedelta = timedelta(seconds=3)
    slow: float = 3.0
