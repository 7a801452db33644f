"""CW302: two lines of a sync that write one field in the same direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from dsl import program as p
from dsl.diagnostics import Diagnostic
from dsl.logic import overlap
from dsl.passes import SyncView
from dsl.schema import Kind, Side

__all__ = ["targets"]


def targets(view: SyncView) -> Iterator[Diagnostic]:
    """Fields that several lines write, of the records themselves and of each activity."""
    yield from _among(view.pair.lines)
    for rule in view.pair.activities:
        yield from _among(rule.lines)


def _among(lines: Sequence[p.Line]) -> Iterator[Diagnostic]:
    reported: set[int] = set()
    for side in (Side.OUTREACH, Side.SALESFORCE):
        for path, writers in _written(lines, side).items():
            for first, second in combinations(writers, 2) if len(writers) > 1 else ():
                if id(second) not in reported and overlap(first.when, second.when) is not False:
                    reported.add(id(second))
                    yield _twice(path, first, second, side)


def _written(lines: Sequence[p.Line], side: Side) -> dict[str, list[p.Line]]:
    found: dict[str, list[p.Line]] = {}
    for line in lines:
        end = line.end(side)
        written = line.inbound if side is Side.OUTREACH else line.outbound
        if isinstance(end, p.FieldRef) and written and not _adds(end):
            found.setdefault(end.path, []).append(line)
    return found


def _adds(end: p.FieldRef) -> bool:
    """Whether each line has a part of its own in what is there: a relationship to many records."""
    return end.kind is Kind.LIST and bool(end.references)


def _twice(path: str, first: p.Line, second: p.Line, side: Side) -> Diagnostic:
    way = "inbound" if side is Side.OUTREACH else "outbound"
    message = f"two lines write `{path}` {way}, and which of them wins is left to chance"
    related = ((first.end(side).span, "the other line is here"),)
    return Diagnostic(
        "CW302", message, second.end(side).span, _help(first, second, side), related=related
    )


def _help(first: p.Line, second: p.Line, side: Side) -> str:
    if first.when is not None and second.when is not None:
        return "make their `when` conditions exclude each other, as with `not (…)`"
    sources = [line.end(side.other) for line in (first, second)]
    texts = [" ".join(source.span.text.split()) for source in sources]
    if texts[0] == texts[1] or first.via or second.via:
        return "leave one of them out"
    return f"leave one out, or take the first that is not empty with `coalesce({', '.join(texts)})`"
