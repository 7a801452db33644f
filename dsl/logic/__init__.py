"""Reasons about conditions: which can never hold, which always do, which can hold together.

What is found is proved from what `dsl.evaluate` says conditions mean. Where that cannot be done,
nothing is found.
"""

from __future__ import annotations

from dsl.logic.verdicts import Contradiction, Tautology, always, findings, never, parts
from dsl.program import Condition

__all__ = ["Contradiction", "Tautology", "always", "findings", "never", "overlap", "parts"]


def overlap(a: Condition | None, b: Condition | None) -> bool | None:
    """Whether some record fulfils both conditions (None: no condition); None if that is not known.

    The two must be about one record: a field that both read is the same field.
    """
    from dsl.logic.overlaps import overlap  # noqa: PLC0415 - few projects have two such conditions

    return overlap(a, b)
