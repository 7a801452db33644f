"""The tree of what stands inside lines and clauses: names, values, expressions, conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from dsl.source import Span

__all__ = [
    "Ago",
    "AllOf",
    "AnyOf",
    "Call",
    "Changed",
    "Comment",
    "Compare",
    "Condition",
    "Emptiness",
    "Expression",
    "Literal",
    "Moment",
    "Name",
    "Not",
    "Path",
]


@dataclass(frozen=True, slots=True)
class Name:
    """A name as the user spelled it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its `#` to the end of the line."""

    span: Span
    text: str


# -- values and expressions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A written value: text, number, boolean, a `datetime.date` or an aware `datetime.datetime`.

    In a test's record also a tuple of such values (a list attribute).
    """

    span: Span
    value: object


@dataclass(frozen=True, slots=True)
class Moment:
    """`now` or `today`."""

    span: Span
    word: OneOf["now", "today"]


@dataclass(frozen=True, slots=True)
class Ago:
    """`30 days ago`, in seconds."""

    span: Span
    seconds: int


@dataclass(frozen=True, slots=True)
class Path:
    """`Email`, `Owner.Name`, `salesforce.Status`: names joined by dots."""

    span: Span
    names: tuple[Name, ...]

    @property
    def text(self) -> str:
        return ".".join(n.text for n in self.names)


@dataclass(frozen=True, slots=True)
class Call:
    """`lower(trim(Title))`."""

    span: Span
    function: Name
    arguments: tuple[Expression, ...]


Expression = Literal | Moment | Ago | Path | Call


# -- conditions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AllOf:
    """`a and b`, or `all { a b }` (`block`)."""

    span: Span
    terms: tuple[Condition, ...]
    block: bool


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`a or b`, or `any { a b }` (`block`)."""

    span: Span
    terms: tuple[Condition, ...]
    block: bool


@dataclass(frozen=True, slots=True)
class Not:
    span: Span
    term: Condition


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`.

    `operator` is one of `= != < <= > >=`, `in`, `contains`, `starts with`, `ends with`, `matches`;
    `negated` is the word `not` before a text operator or `in`. `right` is a tuple for `in`.
    """

    span: Span
    left: Expression
    operator: str
    operator_span: Span
    negated: bool
    right: Expression | tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Emptiness:
    """`x is empty`; `x is present` and `x is not empty` are negated."""

    span: Span
    operand: Expression
    negated: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """`x changed`: differs from the value last synced, or has none."""

    span: Span
    operand: Expression


Condition = AllOf | AnyOf | Not | Compare | Emptiness | Changed
