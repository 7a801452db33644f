"""What the batches of one run share: the stores, what has been counted, and each record's task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dsl.schema import Side
from engine.budget import Waits
from engine.case import Case, Change, Verdict
from engine.chosen import Chosen, Partner
from engine.ledger import REVIEW, Held, Ledger, Link, Pending
from engine.mapping import Mapping
from engine.model import Action, Direction, RecordId
from engine.ports import Clock, Store
from engine.refusals import Refusals

__all__ = ["Context", "Tally", "Task"]

_COUNTED = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.LINK: "linked",
    Action.UNLINK: "unlinked",
    Action.DELETE: "deleted",
    Action.SKIP: "skipped",
    Action.HOLD: "held",
}


@dataclass(slots=True)
class Task:
    """One record's case with its verdict, and its link if it has one.

    `heirs` are links, each with its pair, that take the place of one that ends, and `later` what is
    looked at again then. Of a record that a person linked by hand, `moved` is the link that ends
    for it. A `revived` link was a tombstone. What is held waits as `held` says: why, and for what
    (see `schema.pending`); each field of `paused` by itself, by the reason it is held.
    """

    case: Case
    verdict: Verdict
    link: Link | None = None
    heirs: list[tuple[str, Link]] = field(default_factory=list)
    later: list[Pending] = field(default_factory=list)
    moved: Link | None = None
    revived: bool = False
    held: Held = REVIEW
    paused: dict[str, Held] = field(default_factory=dict)


@dataclass
class Tally:
    """What a run has done so far.

    `report` is told each change that went through or was decided, `keep` also what it rests on.
    """

    report: Callable[[Change], None] = lambda _change: None
    keep: Callable[[Change, Case | None], None] = lambda _change, _case: None
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            (
                "created",
                "updated",
                "linked",
                "unlinked",
                "deleted",
                "skipped",
                "conflicts",
                "held",
                "failed",
            ),
            0,
        )
    )

    held: set[tuple[Any, ...]] = field(default_factory=set)

    def add(self, change: Change, case: Case | None = None) -> bool:
        """Count a change and report it; whether it was not told of before."""
        conflicts = sum(f.conflict is not None for f in change.fields)
        kept = change.action is Action.HOLD or (change.action is Action.SKIP and conflicts)
        if kept and self._knows(change):
            return False
        self.counts[_COUNTED[change.action]] += 1
        self.counts["conflicts"] += conflicts
        self.report(change)
        self.keep(change, case)
        return True

    def _knows(self, change: Change) -> bool:
        """Whether a run has told of this already: a record may be seen from both its sides."""
        types = tuple(change.types.values())
        key = (types, change.salesforce_id, change.outreach_id, change.reason)
        known = key in self.held
        self.held.add(key)
        return known


@dataclass
class Context:
    """What all batches of one run share.

    `names` are ids by name, asked for once a run; `written` counts records by type and pair;
    `active` tells of Salesforce users whether they are; `unheard` are records by pair and direction
    whose creation may have gone through unseen, None for people that only a list knows; `waits` is
    what the budgets left. `yes` lets deletions through, however many there are. A cycle over
    `chosen` records looks at no others; `admit` says which verdicts may be acted on. One that is
    `telling` decides on everything, also on what did not change, and says why. A `partner` was
    named by a person; lines of `fresh` fields are decided as if they had no base, and fields that
    swing go on if the run is `unpaused`. Pairs in `by_hand` create what a person asked for, in
    those words, and write nothing outbound. `external_ids` are the fields by which a pair's creates
    go, once they were asked for.
    """

    run: str
    started: str
    digest: str
    stores: dict[Side, Store]
    ledger: Ledger
    clock: Clock
    tally: Tally
    names: dict[tuple[Side, str], dict[str, RecordId]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    unheard: dict[tuple[str, Direction], set[RecordId | None]] = field(default_factory=dict)
    written: dict[tuple[Side, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    active: dict[RecordId, bool] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
    waits: Waits = field(default_factory=Waits)
    yes: bool = False

    chosen: Chosen | None = None
    admit: Callable[[Verdict], bool] | None = None
    telling: bool = False
    partner: Partner | None = None
    fresh: frozenset[str] = frozenset()
    unpaused: bool = False
    by_hand: dict[str, str] = field(default_factory=dict)
    external_ids: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def written_by_others(self, mapping: Mapping, side: Side) -> int:
        """How many records of a pair's type other pairs have written in this run."""
        by_pair = self.written[side, mapping.type_name(side)]
        return by_pair.total() - by_pair[mapping.name]
