"""What can be written in place of a mistake: edits, and whether they may be made unasked."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.source import Span

__all__ = ["Edit", "Fix"]


@dataclass(frozen=True, slots=True)
class Edit:
    """The text that is to stand where `span` is now."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding; `title` says what it does.

    A `safe` one can mean nothing else than what was meant: `lint --fix` makes it unasked. The
    others are offered in an editor.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False
