"""What one decision is about, and what it says: the shapes that pass from decide to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from dsl.pairs import pair_name
from dsl.program import Policy
from dsl.schema import Side
from engine.mapping import UNSET, Holds, Mapping
from engine.model import Action, Direction, RecordId, Row, Value
from engine.references import References, Wait

__all__ = ["Base", "Case", "Change", "Conflict", "FieldChange", "Verdict"]

Base = Sequence[Any]


class Conflict(NamedTuple):
    """A field that both sides changed: both values, and who won."""

    salesforce: Value
    outreach: Value
    winner: Side


class FieldChange(NamedTuple):
    """One field to be written: `after` as people read it, `value` as the store takes it.

    `is_link` says that they are ids of records.
    """

    line: int
    source: str
    target: str
    before: Value
    after: Value
    value: Value
    conflict: Conflict | None = None
    is_link: bool = False


class Change(NamedTuple):
    """One decision about one record, or pair of records; ids that do not exist yet are None.

    `types` by side; a stage that is made for a map has none in Salesforce. `rule` is `file:line`.
    Of an activity, `label` says which kind of pair it is of. A create is sent as an upsert on the
    external-id field `upsert`, if it has one.
    """

    action: Action
    direction: Direction
    types: dict[Side, str]
    salesforce_id: str | None
    outreach_id: int | None
    reason: str
    rule: str
    fields: tuple[FieldChange, ...] = ()
    label: str = ""
    upsert: str = ""

    @property
    def pair(self) -> str:
        """The name of the pair that it is of, or of the one type that it concerns."""
        if len(self.types) < len(Side):
            return next(iter(self.types.values()))
        return pair_name(self.types[Side.SALESFORCE], self.types[Side.OUTREACH], self.label)

    def id(self, side: Side) -> RecordId | None:
        return self.salesforce_id if side is Side.SALESFORCE else self.outreach_id


@dataclass(slots=True)
class Verdict:
    """All that is decided about one record.

    `agreed` are lines whose two sides are equal, or that have nothing to tell each other: they
    become the base without a write. `waits` are lines whose reference has no link yet.
    """

    changes: list[Change] = field(default_factory=list)
    agreed: list[int] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """One record as it was observed, with all that a decision rests on.

    `rows` and `views` by side; a side is missing where no record is linked. `bases` is None for two
    records that are about to be linked. `override` replaces every policy (`sync down`). `seen` is
    the side whose record is looked at. What is decided on each line, and why, goes to `notes` if
    somebody wants to know. `who` is the type that an activity is about.
    """

    mapping: Mapping
    references: References
    now: datetime
    rows: dict[Side, Row]
    views: dict[Side, tuple[Any, ...]]
    bases: dict[Side, Base] | None = None
    override: Policy | None = None
    seen: Side | None = None
    notes: dict[int, str] | None = None
    asked: dict[Direction, bool] = field(default_factory=dict)
    who: str = ""

    def note(self, line: int, words: str) -> None:
        """Tell what is decided on a line, if somebody wants to know."""
        if self.notes is not None:
            self.notes[line] = words

    def base(self, side: Side, line: int) -> Any:
        return UNSET if self.bases is None else self.bases[side][line]

    def holds(self, direction: Direction, action: str) -> bool:
        """Whether the toggle's condition holds; it is asked once a record."""
        condition = self.mapping.gate(direction, action, self.who).holds
        if condition is None:
            return True
        if direction not in self.asked:
            self.asked[direction] = self.ask(condition)
        return self.asked[direction]

    def ask(self, condition: Holds) -> bool:
        """Whether a compiled condition holds for this record."""
        bases = self.bases or {}
        return condition(
            self.rows.get(Side.SALESFORCE),
            self.rows.get(Side.OUTREACH),
            bases.get(Side.SALESFORCE),
            bases.get(Side.OUTREACH),
            self.now,
        )

    def id(self, side: Side) -> Any:
        row = self.rows.get(side)
        return None if row is None else row[0]

    def change(
        self,
        action: Action,
        direction: Direction,
        reason: str,
        rule: str,
        fields: Sequence[FieldChange] = (),
    ) -> Change:
        left, right = self.id(Side.SALESFORCE), self.id(Side.OUTREACH)
        types, label = self.mapping.types, self.mapping.pair.label
        return Change(action, direction, types, left, right, reason, rule, tuple(fields), label)
