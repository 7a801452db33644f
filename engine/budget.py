"""Call budgets, the rules' `limits`: each call is reserved in the ledger before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from dsl.program import LimitRule
from dsl.values import stamp
from engine.ledger import Ledger
from engine.ledger.callbook import Spent, Stalled, Window
from engine.model import Side
from engine.ports import BudgetSpent, Clock, Usage

__all__ = ["Budget", "State", "Waits"]

# Far from every threshold, calls are reserved ahead, so that a cycle does not wait for the disk at
# each of them. What a crash leaves of a block counts as used: a few in a hundred at the most.
_BLOCK, _FAR = 100, 2_000
_USUAL = {Side.SALESFORCE: "day", Side.OUTREACH: "hour"}


@dataclass
class Waits:
    """What a run leaves for want of calls: the sides, and the steps that it could not finish."""

    spent: dict[Side, BudgetSpent] = field(default_factory=dict)
    steps: dict[str, BudgetSpent] = field(default_factory=dict)

    def note(self, found: BudgetSpent, step: str | None = None) -> None:
        """Note that a budget refused calls, and the step that stops there."""
        self.spent.setdefault(found.side, found)
        if step is not None:
            self.steps.setdefault(step, found)

    def stalled(self) -> list[Stalled]:
        """What the ledger keeps of it."""
        steps = [Stalled(step, at.side, stamp(at.until)) for step, at in self.steps.items()]
        told = {step.side for step in steps}
        return steps + [
            Stalled("", side, stamp(at.until))
            for side, at in self.spent.items()
            if side not in told
        ]


class State(NamedTuple):
    """Where one budget stands; without a rule for it, `threshold` is None."""

    side: Side
    scope: str
    period: str
    used: int
    threshold: int | None
    max: int | None
    resets_at: datetime

    @property
    def left(self) -> int | None:
        """How many calls the rules leave."""
        return None if self.threshold is None else max(self.threshold - self.used, 0)


class _Span(NamedTuple):
    """A window, and when it ends."""

    window: Window
    end: datetime


@dataclass
class Budget:
    """One side's budgets.

    A budget of `own` calls counts those of all processes on the ledger, by the calendar day and the
    clock hour of `zone`. One of `total` calls goes by the vendor's own count and window, where the
    store can tell it for that period, and by the own calls otherwise.
    """

    side: Side
    rules: Sequence[LimitRule]
    ledger: Ledger
    clock: Clock
    zone: tzinfo
    usage: Callable[[], Usage | None]

    def __post_init__(self) -> None:
        self._spans: tuple[_Span, _Span] = self._spans_at(self.clock.now())
        self._pocket = 0  # reserved and not yet spent
        self._sent = 0  # spent and not yet told to the ledger

    # -- calls ----------------------------------------------------------------------------------

    def ask(self, count: int, least: int) -> BudgetSpent | None:
        """Reserve `count` calls; else, if there are `least`, what there is, and why no more."""
        self._turn()
        missing = count - self._pocket
        if missing <= 0:
            return None
        refused: BudgetSpent | None = None

        def amount(spent: list[Spent]) -> int:
            nonlocal refused
            rooms = [(self._room(rule, spent), rule) for rule in self.rules]
            room = min((room for room, _ in rooms), default=None)
            if room is None or room >= missing + _FAR:
                return missing + _BLOCK
            if self._pocket + room < count:
                refused = self._spent_by([rule for r, rule in rooms if self._pocket + r < count])
            return min(missing, max(room, 0)) if self._pocket + room >= least else 0

        windows = [span.window for span in self._spans]
        self._pocket += self.ledger.calls.reserve(self.side, windows, self._sent, amount)
        self._sent = 0
        return refused

    @property
    def reserved(self) -> int:
        """Calls that may be sent without asking."""
        return self._pocket

    def spend(self, count: int) -> None:
        """Note calls that were sent."""
        self._pocket -= count
        self._sent += count
        if self._pocket < 0:  # a store needed more calls than it says it does
            self._settle()

    def close(self) -> None:
        """Give back what was reserved and not sent."""
        self._settle()

    def _settle(self) -> None:
        windows = [span.window for span in self._spans]
        self.ledger.calls.settle(self.side, windows, self._pocket, self._sent)
        self._pocket = self._sent = 0

    def _turn(self) -> None:
        """Take nothing along into another hour."""
        now = self.clock.now()
        if now >= self._spans[-1].end:
            self._settle()
            self._spans = self._spans_at(now)

    # -- thresholds -----------------------------------------------------------------------------

    def _spans_at(self, now: datetime) -> tuple[_Span, _Span]:
        local = now.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        tomorrow = (midnight + timedelta(days=1)).replace(fold=0).astimezone(UTC)
        hour = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        return (
            _Span(Window("day", stamp(midnight.astimezone(UTC))), tomorrow),
            _Span(Window("hour", stamp(hour)), hour + timedelta(hours=1)),
        )

    def _room(self, rule: LimitRule, spent: Sequence[Spent]) -> int:
        own = spent[rule.period == "hour"]
        usage = self._usage(rule.scope, rule.period)
        if usage is None:
            return rule.calls - own.used
        return min(rule.calls, usage.max) - usage.used - own.under_way

    def _usage(self, scope: str, period: str) -> Usage | None:
        if scope != "total":
            return None
        usage = self.usage()
        return usage if usage is not None and usage.period == period else None

    def _spent_by(self, rules: Sequence[LimitRule]) -> BudgetSpent:
        rule = max(rules, key=self._reset)
        until = self._reset(rule)
        shown = until.astimezone(self.zone)
        far = shown.date() != self.clock.now().astimezone(self.zone).date()
        when = f"{shown:%Y-%m-%d %H:%M}" if far else f"{shown:%H:%M}"
        message = (
            f"waits for the {self.side.title()} budget until {when}"
            f" ({rule.scope} {rule.calls:,} per {rule.period}, {rule.span.place})"
        )
        return BudgetSpent(message, self.side, until)

    def _reset(self, rule: LimitRule) -> datetime:
        usage = self._usage(rule.scope, rule.period)
        return self._spans[rule.period == "hour"].end if usage is None else usage.resets_at

    def states(self) -> list[State]:
        """Where the budgets stand, the total first; without a rule, by the usual period."""
        self._settle()
        self._turn()
        spent = self.ledger.calls.spent(self.side, [span.window for span in self._spans])
        found = []
        for scope in ("total", "own"):
            rules = [rule for rule in self.rules if rule.scope == scope]
            found += [self._state(scope, rule.period, rule.calls, spent) for rule in rules]
            if not rules:
                found.append(self._state(scope, _USUAL[self.side], None, spent))
        return found

    def _state(
        self, scope: str, period: str, threshold: int | None, spent: Sequence[Spent]
    ) -> State:
        known = self.usage()
        most = known.max if known is not None and known.period == period else None
        usage = self._usage(scope, period)
        hourly = period == "hour"
        used = spent[hourly].used if usage is None else usage.used + spent[hourly].under_way
        resets = self._spans[hourly].end if usage is None else usage.resets_at
        return State(self.side, scope, period, used, threshold, most, resets)

    def left(self) -> int | None:
        """How many calls there are until the first threshold; None if there is none."""
        if not self.rules:
            return None
        self._turn()
        spent = self.ledger.calls.spent(self.side, [span.window for span in self._spans])
        return self._pocket + max(min(self._room(rule, spent) for rule in self.rules), 0)
