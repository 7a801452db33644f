"""What a test says when it fails, and what stops it before it can."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.source import Span

__all__ = ["Failure", "Unfit"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as the test says: where, in a sentence, and why it may be so.

    `diff` are lines that start with `-` (expected) or `+` (was). `related` are the rules behind it.
    """

    span: Span
    message: str
    diff: tuple[str, ...] = ()
    reason: str | None = None
    related: tuple[tuple[Span, str], ...] = ()


class Unfit(Exception):
    """A statement of a test cannot be carried out; the message says why."""

    def __init__(self, span: Span, message: str) -> None:
        super().__init__(message)
        self.span = span
