"""A query as a frozen tree, just as it was written; names are not looked up yet."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Among",
    "Branch",
    "Call",
    "Children",
    "Comparison",
    "Condition",
    "Every",
    "Includes",
    "Item",
    "Like",
    "Literal",
    "Negation",
    "Operand",
    "Path",
    "Plain",
    "Query",
    "Some",
    "Sorting",
    "TypeOf",
    "Within",
]


@dataclass(frozen=True, slots=True)
class Path:
    """A field, with the relationships before it; `at` is where it stands in the text."""

    names: tuple[str, ...]
    at: int

    def __str__(self) -> str:
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its argument, if any: `COUNT()`, `MAX(Amount)`; only a grouping has more."""

    name: str
    argument: Path | Call | None
    at: int
    more: tuple[Path | Call, ...] = ()


Operand = Path | Call


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it was written; `kind` is the name of its terminal in the grammar."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    operand: Operand
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Like:
    operand: Operand
    value: Literal


@dataclass(frozen=True, slots=True)
class Among:
    """`IN (…)`, or `NOT IN (…)`."""

    operand: Operand
    values: tuple[Literal, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Within:
    """A semi-join, `IN (SELECT …)`, or an anti-join."""

    operand: Operand
    query: Query
    holds: bool


@dataclass(frozen=True, slots=True)
class Includes:
    """`INCLUDES (…)` of a multi-select picklist, or `EXCLUDES (…)`."""

    operand: Operand
    values: tuple[Literal, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Negation:
    condition: Condition


@dataclass(frozen=True, slots=True)
class Every:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    conditions: tuple[Condition, ...]


Condition = Comparison | Like | Among | Within | Includes | Negation | Every | Some


@dataclass(frozen=True, slots=True)
class Plain:
    """A selected field or function, and what it is to be called."""

    operand: Operand
    alias: str | None


@dataclass(frozen=True, slots=True)
class Children:
    """A selected relationship to children, with the query over them."""

    query: Query


@dataclass(frozen=True, slots=True)
class Branch:
    type: str
    paths: tuple[Path, ...]
    at: int


@dataclass(frozen=True, slots=True)
class TypeOf:
    """Fields by the type of what a reference goes to."""

    path: Path
    branches: tuple[Branch, ...]
    otherwise: tuple[Path, ...]


Item = Plain | Children | TypeOf


@dataclass(frozen=True, slots=True)
class Sorting:
    operand: Operand
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """`SELECT … FROM …`; `at` is where the type's name stands.

    `others` are the relationships that FROM gives names to (`FROM Contact c, c.Account a`);
    `viewed` says that the records count as looked at (`FOR VIEW`, `FOR REFERENCE`).
    """

    items: tuple[Item, ...]
    type: str
    at: int
    alias: str | None = None
    others: tuple[tuple[Path, str], ...] = ()
    scope: str | None = None
    where: Condition | None = None
    group: tuple[Operand, ...] = ()
    having: Condition | None = None
    order: tuple[Sorting, ...] = ()
    limit: int | None = None
    offset: int = 0
    viewed: bool = False
