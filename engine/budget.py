"""Call budgets, the rules' `limits`: each call is reserved in the ledger before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, NamedTuple, TypeVar

from dsl.program import LimitRule
from dsl.schema import ObjectType
from dsl.values import stamp
from engine.ledger import Ledger
from engine.ledger.callbook import Spent, Stalled, Window
from engine.model import Cursor, Listing, Page, RecordId, Result, Row, Side, Value, Write
from engine.ports import BudgetSpent, Clock, Lists, Metered, Store, Usage

__all__ = [
    "Budget",
    "Budgeted",
    "State",
    "Wait",
    "Waits",
    "budgeted",
    "is_near",
    "room_for",
    "spent_there",
]

_FIND_SIZE = 200  # values that one `find` call looks for, as `Store` has it
# Far from every threshold, calls are reserved ahead, so that a cycle does not wait for the disk at
# each of them. What a crash leaves of a block counts as used: a few in a hundred at the most.
_BLOCK, _FAR = 100, 2_000
_NEAR = 50  # calls that a batch may need besides those for its records
_USUAL = {Side.SALESFORCE: "day", Side.OUTREACH: "hour"}

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

#: Waits until a moment; raises to give up.
Wait = Callable[[BudgetSpent], None]


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


class Budgeted:
    """A `Store` whose calls are reserved before they are sent.

    Where the budget is spent, each raises `BudgetSpent` before it sends anything, or, given a
    `wait`, waits until it may go on.
    """

    def __init__(self, store: Store, budget: Budget, wait: Wait | None = None) -> None:
        self.side: Side = store.side
        self.page_size = store.page_size
        self.write_size = store.write_size
        self.lag: timedelta = store.lag
        self.calls = store.calls
        self.budget = budget
        self._store = store
        self._wait = wait

    def now(self) -> str:
        return self._store.now()

    def describe(self, type_name: str) -> ObjectType | None:
        """Counted once it is sent: most are known by then, and a local org's cost nothing."""
        return self._counted(partial(self._store.describe, type_name))

    def close(self) -> None:
        self.budget.close()
        self._store.close()

    def __getattr__(self, name: str) -> Any:
        """What a store may offer besides: its lists, counted once they are read, and what it is."""
        if name in ("price", "sweeps"):
            return getattr(self._store, name)
        if name in ("reports", "list_views"):
            return partial(self._counted, getattr(self._store, name))
        raise AttributeError(name)

    def listed(self, listing: Listing) -> Iterator[list[RecordId]]:
        if isinstance(self._store, Lists):
            yield from self._paged(self._store.listed(listing))

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        return self._paged(self._store.scan(type_name, fields, since))

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        def fetch(some: Sequence[RecordId]) -> list[Row]:
            return self._store.fetch(type_name, fields, some)

        return [row for rows in self._each(ids, self.page_size, fetch) for row in rows]

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        def fates(some: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
            return self._store.fates(type_name, some)

        return dict(p for found in self._each(ids, self.page_size, fates) for p in found.items())

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        def find(some: Sequence[tuple[Value, ...]]) -> list[Row]:
            return self._store.find(type_name, fields, key, some)

        parts = list(self._each(values, _FIND_SIZE, find))
        if len(parts) == 1:
            return parts[0]
        return list({row[0]: row for rows in parts for row in rows}.values())

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        """All of the writes, or none if the budget does not have the calls."""

        def write(some: Sequence[Write]) -> list[Result]:
            return self._store.write(type_name, some)

        return [each for done in self._each(writes, self.write_size, write) for each in done]

    def room(self, count: int, *, read_back: bool) -> tuple[int, BudgetSpent | None]:
        """How many of so many writes may go, and be read back; why the others may not."""
        if self._wait is not None:
            return count, None

        def needed(writes: int) -> int:
            reading = -(-writes // self.page_size) if read_back else 0
            return -(-writes // self.write_size) + reading

        found = self.budget.ask(needed(count), needed(1))
        if found is None:
            return count, None
        room = min(count, self.budget.reserved * self.write_size)
        while room > 0 and needed(room) > self.budget.reserved:
            room -= min(self.write_size, room)
        return room, found

    def _paged(self, pages: Iterator[_Answer]) -> Iterator[_Answer]:
        """Pages, each of which is a call."""
        while True:
            self._reserve(1)
            try:
                page = self._counted(partial(next, pages))
            except StopIteration:
                return
            yield page

    def _each(
        self, items: Sequence[_Item], size: int, request: Callable[[Sequence[_Item]], _Answer]
    ) -> Iterator[_Answer]:
        """The answers to one request, or where it may wait, to one for each call."""
        calls = -(-len(items) // size)
        found = self.budget.ask(calls, calls)
        if found is None:
            yield self._counted(lambda: request(items))
            return
        if self._wait is None:
            raise found
        for start in range(0, len(items), size):
            part = items[start : start + size]
            self._reserve(1)
            yield self._counted(partial(request, part))

    def _reserve(self, count: int) -> None:
        while (found := self.budget.ask(count, count)) is not None:
            if self._wait is None:
                raise found
            self._wait(found)

    def _counted(self, request: Callable[[], _Answer]) -> _Answer:
        before = self._store.calls
        try:
            return request()
        finally:
            self.budget.spend(self._store.calls - before)
            self.calls = self._store.calls


def budgeted(
    stores: Mapping[Side, Store],
    limits: Sequence[LimitRule],
    ledger: Ledger,
    zone: tzinfo,
    clock: Clock,
    wait: Wait | None = None,
) -> dict[Side, Store]:
    """The stores, within the budgets of the rules; without any, their calls are only counted."""
    return {
        side: Budgeted(
            store,
            Budget(
                side,
                [rule for rule in limits if rule.side is side],
                ledger,
                clock,
                zone,
                store.usage if isinstance(store, Metered) else lambda: None,
            ),
            wait,
        )
        for side, store in stores.items()
    }


def room_for(store: Store, count: int, *, read_back: bool) -> tuple[int, BudgetSpent | None]:
    """How many of so many writes the store's budget lets through, and why not the others."""
    if isinstance(store, Budgeted):
        return store.room(count, read_back=read_back)
    return count, None


def spent_there(store: Store, message: str) -> BudgetSpent:
    """What to wait for where the vendor itself had no calls left for some of the writes."""
    usage = None
    if isinstance(store, Budgeted):
        usage = store.budget.usage()
    elif isinstance(store, Metered):
        usage = store.usage()
    until = usage.resets_at if usage is not None else datetime.now(UTC) + timedelta(hours=1)
    return BudgetSpent(message, store.side, until)


def is_near(stores: Mapping[Side, Store], count: int) -> bool:
    """Whether a batch of so many records may need more calls than a budget has."""
    for store in stores.values():
        if isinstance(store, Budgeted) and store.budget.rules:
            left = store.budget.left()
            if left is not None and left < count + _NEAR:
                return True
    return False
