"""What can be written in place of a mistake: edits, and whether they may be made unasked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dsl.source import Source, Span

__all__ = ["Edit", "Fix", "edited"]


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


def edited(source: Source, fixes: Iterable[Fix]) -> tuple[str, int]:
    """A file's text with fixes made, and how many: of two that touch, the first alone is made."""
    text = source.text
    taken: list[tuple[int, int, str]] = []
    made = 0
    for fix in fixes:
        here = all(edit.span.source.path == source.path for edit in fix.edits)
        places = [_place(source, edit) for edit in fix.edits] if here else []
        if places and not _touches(places, taken):
            taken += places
            made += 1
    for start, end, new in sorted(taken, reverse=True):
        text = text[:start] + new + text[end:]
    return text, made


def _place(source: Source, edit: Edit) -> tuple[int, int, str]:
    """An edit by offsets into the file's whole text; its span may be of a part."""
    start = source.offset(edit.span.first)
    return start, start + len(edit.span.text), edit.text


def _touches(places: Iterable[tuple[int, int, str]], taken: Iterable[tuple[int, int, str]]) -> bool:
    return any((a < d and c < b) or a == c for a, b, _ in places for c, d, _ in taken)
