"""Which way the values of a field line go, and what must hold for them to go there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

from dsl import syntax as s
from dsl.passes import SyncView
from dsl.paths import title_of
from dsl.program import Condition, Expression, FieldRef, Line, Pair
from dsl.source import Span

__all__ = ["Flow", "after_ends", "clause_of", "ends", "flows", "plain", "words", "writes"]


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction of a field line: what is read, and the field that it is written to."""

    line: Line
    way: OneOf["inbound", "outbound"]
    source: Expression
    target: FieldRef

    @property
    def to(self) -> str:
        """The system that is written to, as people call it."""
        return title_of(self.target.side)


def flows(line: Line) -> Iterator[Flow]:
    """The one or two directions of a line."""
    if line.inbound and isinstance(line.outreach, FieldRef):
        yield Flow(line, "inbound", line.salesforce, line.outreach)
    if line.outbound and isinstance(line.salesforce, FieldRef):
        yield Flow(line, "outbound", line.outreach, line.salesforce)


def writes(pair: Pair, flow: Flow, *, create: bool) -> Iterator[tuple[Condition, ...]]:
    """For each toggle by which a pair writes this way, all that must hold before it does.

    Not what polling and pushing ask for: of two linked records either can be what is seen. A create
    is left out on request: what it writes to was not there before.
    """
    watched = pair.toggle("polling" if flow.way == "inbound" else "pushing")
    if not watched.on:
        return
    names = ("create", "update") if create else ("update",)
    for name in names:
        toggle = pair.toggle(f"{flow.way} {name}")
        if toggle.on and not (flow.line.once and name == "update"):
            conditions = (toggle.when, flow.line.when)
            yield tuple(each for each in conditions if each is not None)


def plain(expression: Expression) -> FieldRef | None:
    """The record's own field that an expression is; None if it is anything else."""
    own = isinstance(expression, FieldRef) and "." not in expression.path
    return expression if own else None  # type: ignore[return-value]


def ends(line: Line) -> Span:
    """A line without its modifiers."""
    return line.salesforce.span.to(line.outreach.span)


def after_ends(line: Line) -> Span:
    """The place where one more modifier can be written."""
    end = line.outreach.span.end
    return Span(line.span.source, end, end)


def words(span: Span) -> str:
    """What stands there, on one line."""
    return " ".join(span.text.split())


def clause_of(view: SyncView, name: str) -> s.Toggle | None:
    """The clause of a toggle that is on."""
    if not view.pair.toggle(name).on:
        return None
    clauses = (c for c in view.node.clauses if isinstance(c, s.Toggle) and c.name == name)
    return next(clauses, None)
