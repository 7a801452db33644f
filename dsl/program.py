"""A project's rules with every name resolved: what the engine runs and the linter checks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any as AnyValue
from typing import Literal as OneOf

from dsl.pairs import pair_name
from dsl.schema import Kind, ObjectType, Side
from dsl.source import Source, Span
from dsl.syntax import Arrow, Test

__all__ = [
    "ActivityRule",
    "Ago",
    "All",
    "Any",
    "Call",
    "Changed",
    "Comparison",
    "Computed",
    "Condition",
    "Constant",
    "Empty",
    "Expression",
    "FieldRef",
    "GuardRule",
    "LimitRule",
    "Line",
    "MapEntry",
    "MatchRule",
    "Moment",
    "Negation",
    "Pair",
    "Policy",
    "Program",
    "ToggleRule",
    "Translation",
]


class Policy(StrEnum):
    """Who wins a field that both sides changed."""

    SALESFORCE = "salesforce"
    OUTREACH = "outreach"
    NEWEST = "newest"


# -- expressions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field or dotted path of one side, without the side's prefix.

    `references` are the type names that a reference may point to. `kind` is `UNKNOWN` for a custom
    field that the schema cannot know. `filterable`: whether a query can compare the field.
    `vendor_type` is the vendor's own word for its type, empty where that is not known.
    """

    span: Span
    side: Side
    path: str
    kind: Kind
    references: tuple[str, ...] = ()
    is_email: bool = False
    filterable: bool = True
    vendor_type: str = ""

    @property
    def dotted(self) -> bool:
        return "." in self.path


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: text, int, float, bool, `datetime.date` or aware `datetime.datetime`."""

    span: Span
    value: object
    kind: Kind


@dataclass(frozen=True, slots=True)
class Moment:
    """`now` or `today`."""

    span: Span
    word: OneOf["now", "today"]


@dataclass(frozen=True, slots=True)
class Ago:
    """A moving instant, so many seconds before now."""

    span: Span
    seconds: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language, its name and arity checked."""

    span: Span
    function: str
    arguments: tuple[Expression, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Computed:
    """What the engine itself works out from fields, such as an activity's title.

    `compute` takes the fields' values, in the order of `arguments`, and the project's zone.
    """

    span: Span
    arguments: tuple[FieldRef, ...]
    kind: Kind
    compute: Callable[..., AnyValue] = field(compare=False)


Expression = FieldRef | Constant | Moment | Ago | Call | Computed


# -- conditions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class All:
    span: Span
    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    span: Span
    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    span: Span
    term: Condition


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` as in `dsl.syntax.Compare`; `right` is a tuple for `in`."""

    span: Span
    left: Expression
    operator: str
    negated: bool
    right: Expression | tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    span: Span
    operand: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Changed:
    span: Span
    operand: FieldRef


Condition = All | Any | Negation | Comparison | Empty | Changed


# -- maps and lines -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MapEntry:
    """One pair of a map; `color` is `#rrggbb` or None."""

    span: Span
    left: str | int | float | bool
    arrow: Arrow
    right: str | int | float | bool
    color: str | None


@dataclass(frozen=True)
class Translation:
    """A stage or value map. Maps compare exactly.

    `otherwise` is what an unmapped value does: `hold`, `clear` or `same`, or (`"text"`) becomes
    `otherwise_text`.
    """

    span: Span
    name: str
    is_stages: bool
    entries: tuple[MapEntry, ...]
    otherwise: OneOf["hold", "clear", "same", "text"] = "hold"
    otherwise_text: str | None = None

    @cached_property
    def inbound(self) -> Mapping[object, MapEntry]:
        """The entry by its Salesforce value, for arrows that go to Outreach."""
        return {e.left: e for e in reversed(self.entries) if e.arrow != "<-"}

    @cached_property
    def outbound(self) -> Mapping[object, MapEntry]:
        """The entry by its Outreach value, for arrows that go to Salesforce."""
        return {e.right: e for e in reversed(self.entries) if e.arrow != "->"}


@dataclass(frozen=True, slots=True)
class Line:
    """One field line of a sync, groups expanded.

    `prevent_empty` names the directions ("inbound", "outbound") in which an empty value does not
    overwrite. For a `<->` line both ends are plain `FieldRef`s, for a one-way line its target is.

    The rest is for lines that the engine makes of activities: for a reference without a link the
    `field` waits, the whole `record` does, or it stays empty (`never` waits); `who` is the type
    that the activity must be about; and the line counts as changed when `compared` is, instead of
    its source.
    """

    span: Span
    salesforce: Expression
    arrow: Arrow
    outreach: Expression
    prevent_empty: frozenset[str] = frozenset()
    via: Translation | None = None
    prefer: Policy | None = None
    once: bool = False
    when: Condition | None = None
    unlinked: OneOf["field", "record", "never"] = "field"
    who: str = ""
    compared: Expression | None = None

    @property
    def inbound(self) -> bool:
        return self.arrow != "<-"

    @property
    def outbound(self) -> bool:
        return self.arrow != "->"

    def end(self, side: Side) -> Expression:
        return self.salesforce if side is Side.SALESFORCE else self.outreach

    def compares(self, side: Side) -> bool:
        """Whether a change on this side counts: not that of a one-way target or `once`."""
        return not self.once and (self.inbound if side is Side.SALESFORCE else self.outbound)

    @property
    def key(self) -> str:
        """What identifies the line from one revision of the rules to the next."""
        via = f" via {self.via.name}" if self.via else ""
        who = f" of {self.who}" if self.who else ""
        ends = f"{self.salesforce.span.text} {self.arrow} {self.outreach.span.text}"
        return " ".join(ends.split()) + via + who


# -- syncs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One `match` line: pairs of a Salesforce and an Outreach field that must all agree."""

    span: Span
    keys: tuple[tuple[FieldRef, FieldRef], ...]


@dataclass(frozen=True, slots=True)
class ToggleRule:
    """A toggle as written; one that is not written is off. `every` is in seconds."""

    on: bool = False
    every: int | None = None
    when: Condition | None = None
    span: Span | None = None


OFF = ToggleRule()


@dataclass(frozen=True, slots=True)
class ActivityRule:
    """One activity kind of a sync, groups expanded.

    `template` names a file of `templates/activity_titles`, unless `title` holds the text itself.
    """

    span: Span
    kind: str
    on: bool
    origin: OneOf["outreach", "anywhere"]
    target: OneOf["Task", "Event"]
    title: str | None
    template: str
    when: Condition | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Pair:
    """One `sync SObject <-> resource`: how one object type syncs.

    `toggles` by the words of the clause (`polling`, `inbound create`, …); use `toggle`.

    A pair with a `label` (`email sent`) is one that the engine makes of activities: its outbound
    toggles also stand by the type of what the activity is about (`outbound create Contact`). Of
    records of an `unless_there` pair, none is made where one with the same values is there. With
    `fallback`, an activity without an opportunity goes to the open one of its account. What went
    wrong with a title is noted in `troubles`.
    """

    span: Span
    salesforce: ObjectType
    outreach: ObjectType
    matches: tuple[MatchRule, ...]
    toggles: Mapping[str, ToggleRule]
    lines: tuple[Line, ...]
    activities: tuple[ActivityRule, ...] = ()
    conflict: Policy = Policy.NEWEST
    label: str = ""
    unless_there: bool = False
    fallback: bool = False
    troubles: list[str] = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        return pair_name(self.salesforce.name, self.outreach.name, self.label)

    def type(self, side: Side) -> ObjectType:
        return self.salesforce if side is Side.SALESFORCE else self.outreach

    def toggle(self, name: str) -> ToggleRule:
        return self.toggles.get(name, OFF)


@dataclass(frozen=True, slots=True)
class LimitRule:
    """A call budget: `SIDE total|own N per day|hour`."""

    span: Span
    side: Side
    scope: OneOf["total", "own"]
    calls: int
    period: OneOf["day", "hour"]


@dataclass(frozen=True, slots=True)
class GuardRule:
    """A blast-radius bound of one run; `amount` is a count, for `blanking` a percentage."""

    span: Span
    what: OneOf["creates", "updates", "deletes", "blanking"]
    amount: float


@dataclass(frozen=True)
class Program:
    """All rule files of a project, as one, with the title templates that are its own."""

    sources: tuple[Source, ...]
    pairs: tuple[Pair, ...]
    maps: Mapping[str, Translation] = field(default_factory=dict)
    limits: tuple[LimitRule, ...] = ()
    guards: tuple[GuardRule, ...] = ()
    tests: tuple[Test, ...] = ()
    titles: Mapping[str, Source] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """What tells one set of rules from another: of all rule files and title templates."""
        digest = hashlib.sha256()
        files = (*self.sources, *self.titles.values())
        for source in sorted(files, key=lambda s: s.path):
            digest.update(f"{source.path}\0{source.text}\0".encode())
        return digest.hexdigest()
