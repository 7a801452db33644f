"""The tree of a rule file: frozen nodes with spans, nothing resolved yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from dsl.nodes_of_tests import Change, Expectation, Given, Record, RecordField, Test
from dsl.source import Source, Span
from dsl.terms import (
    Ago,
    AllOf,
    AnyOf,
    Call,
    Changed,
    Comment,
    Compare,
    Condition,
    Emptiness,
    Expression,
    Literal,
    Moment,
    Name,
    Not,
    Path,
)

__all__ = [
    "Activities",
    "ActivityLine",
    "Ago",
    "AllOf",
    "AnyOf",
    "Arrow",
    "Call",
    "Change",
    "Changed",
    "Clause",
    "Comment",
    "Compare",
    "Condition",
    "Conflict",
    "Emptiness",
    "Expectation",
    "Expression",
    "FieldLine",
    "Fields",
    "Given",
    "Guard",
    "Item",
    "Limit",
    "Limits",
    "Literal",
    "Match",
    "Module",
    "Moment",
    "Name",
    "Not",
    "Path",
    "Record",
    "RecordField",
    "Sync",
    "Test",
    "Toggle",
    "Use",
    "ValueMap",
    "ValuePair",
    "Version",
    "When",
]

Arrow = OneOf["<->", "->", "<-"]


# -- lines --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PreventEmpty:
    """`prevent empty`, for one direction or (None) both."""

    span: Span
    direction: OneOf["inbound", "outbound"] | None


@dataclass(frozen=True, slots=True)
class Via:
    span: Span
    name: Name


@dataclass(frozen=True, slots=True)
class Prefer:
    span: Span
    policy: OneOf["salesforce", "outreach", "newest"]


@dataclass(frozen=True, slots=True)
class Once:
    span: Span


@dataclass(frozen=True, slots=True)
class When:
    """`when C`, on a toggle or a line."""

    span: Span
    condition: Condition


Modifier = PreventEmpty | Via | Prefer | Once | When


@dataclass(frozen=True, slots=True)
class FieldLine:
    """`Status <-> stage via lead_status`; Salesforce is on the left."""

    span: Span
    left: Expression
    arrow: Arrow
    arrow_span: Span
    right: Expression
    modifiers: tuple[Modifier, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """`use NAME`: takes a named group in."""

    span: Span
    name: Name


@dataclass(frozen=True, slots=True)
class Switch:
    """`on` or `off`."""

    span: Span
    on: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """`from outreach` or `from anywhere`."""

    span: Span
    origin: OneOf["outreach", "anywhere"]


@dataclass(frozen=True, slots=True)
class Target:
    """`-> Task` or `-> Event`."""

    span: Span
    name: Name


@dataclass(frozen=True, slots=True)
class Title:
    """`title "…"` (the text of a template), or `title from NAME`."""

    span: Span
    text: Literal | None
    name: Name | None


ActivityOption = Switch | Origin | Target | Title | When


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """`email sent from anywhere -> Task …`; `kind` is the two words joined by a space."""

    span: Span
    kind: str
    kind_span: Span
    options: tuple[ActivityOption, ...]
    lines: tuple[FieldLine, ...]


# -- clauses of sync ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """`match Email = emails and LastName = lastName`."""

    span: Span
    pairs: tuple[tuple[Path, Path], ...]


@dataclass(frozen=True, slots=True)
class Every:
    """`every 10 minutes`, in seconds."""

    span: Span
    seconds: int


ToggleOption = Switch | Every | When


@dataclass(frozen=True, slots=True)
class Toggle:
    """A clause that can be on or off.

    `name` is one of `polling`, `pushing`, `inbound create|update|delete`,
    `outbound create|update|delete`, `sync down`, `fallback association`.
    """

    span: Span
    name: str
    name_span: Span
    options: tuple[ToggleOption, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """`conflict prefer newest`."""

    span: Span
    policy: OneOf["salesforce", "outreach", "newest"]


@dataclass(frozen=True, slots=True)
class FieldsBlock:
    """`fields { … }` inside a sync."""

    span: Span
    lines: tuple[FieldLine | Use, ...]


@dataclass(frozen=True, slots=True)
class ActivitiesBlock:
    """`activities { … }` inside a sync."""

    span: Span
    lines: tuple[ActivityLine | Use, ...]


Clause = Match | Toggle | Conflict | FieldsBlock | ActivitiesBlock


# -- top-level items ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Version:
    """`crosswalk 1`."""

    span: Span
    number: Literal


@dataclass(frozen=True, slots=True)
class Limit:
    """`salesforce own 8000 per day`."""

    span: Span
    side: OneOf["salesforce", "outreach"]
    scope: OneOf["total", "own"]
    calls: Literal
    period: OneOf["day", "hour"]


@dataclass(frozen=True, slots=True)
class Limits:
    span: Span
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """`creates 500 per run`, or `blanking 1%` (`amount` is then the percentage)."""

    span: Span
    what: OneOf["creates", "updates", "deletes", "blanking"]
    amount: Literal


@dataclass(frozen=True, slots=True)
class Guard:
    span: Span
    bounds: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class ValuePair:
    """`"Open" <-> "Open" color "#3b82f6"`."""

    span: Span
    left: Literal
    arrow: Arrow
    arrow_span: Span
    right: Literal
    color: Literal | None


@dataclass(frozen=True, slots=True)
class Otherwise:
    """`otherwise hold|clear|same`, or a text."""

    span: Span
    action: OneOf["hold", "clear", "same"] | Literal


@dataclass(frozen=True, slots=True)
class ValueMap:
    """`stages NAME { … }` or `values NAME { … }`."""

    span: Span
    kind: OneOf["stages", "values"]
    name: Name
    pairs: tuple[ValuePair, ...]
    otherwise: tuple[Otherwise, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """A named group of field lines."""

    span: Span
    name: Name
    lines: tuple[FieldLine, ...]


@dataclass(frozen=True, slots=True)
class Activities:
    """A named group of activity lines."""

    span: Span
    name: Name
    lines: tuple[ActivityLine, ...]


@dataclass(frozen=True, slots=True)
class Sync:
    """`sync Lead <-> prospect { … }`."""

    span: Span
    salesforce: Name
    outreach: Name
    clauses: tuple[Clause, ...]


Item = Version | Limits | Guard | ValueMap | Fields | Activities | Sync | Test


@dataclass(frozen=True, slots=True)
class Module:
    """One rule file: its items in order, and its comments.

    `broken` are the stretches that could not be read; what they may have defined is not known, so
    later passes do not complain of names that stand in them.
    """

    source: Source
    items: tuple[Item, ...]
    comments: tuple[Comment, ...]
    broken: tuple[Span, ...] = ()
