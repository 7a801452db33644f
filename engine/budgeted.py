"""Stores within their call budgets, and what those who write ask of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Any, TypeVar

from dsl.program import LimitRule
from dsl.schema import ObjectType
from engine.budget import Budget
from engine.ledger import Ledger
from engine.model import Cursor, Listing, Page, RecordId, Result, Row, Side, Value, Write
from engine.ports import (
    BudgetSpent,
    Clock,
    Lists,
    Metered,
    Patient,
    Store,
    Unreachable,
    Wait,
)

__all__ = ["Budgeted", "budgeted", "is_near", "room_for", "spent_there"]

_FIND_SIZE = 200  # values that one `find` call looks for, as `Store` has it
_SUBSCRIBING = ("webhooks", "subscribe", "resubscribe", "unsubscribe")
_NEAR = 50  # calls that a batch may need besides those for its records
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


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
        with self._named():
            return self._store.now()

    def describe(self, type_name: str) -> ObjectType | None:
        """Counted once it is sent: most are known by then, and a local org's cost nothing."""
        return self._counted(partial(self._store.describe, type_name))

    def close(self) -> None:
        self.budget.close()
        self._store.close()

    def __getattr__(self, name: str) -> Any:
        """What a store may offer besides, counted once it is done, and what it is."""
        if name in ("packed", "price", "sweeps", "own"):
            return getattr(self._store, name)
        if name in ("reports", "list_views", *_SUBSCRIBING):
            offered = getattr(self._store, name)
            return lambda *given: self._counted(partial(offered, *given))
        raise AttributeError(name)

    def listed(self, listing: Listing) -> Iterator[list[RecordId]]:
        if isinstance(self._store, Lists):
            yield from self._paged(self._store.listed(listing))

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        with self._named():
            pages = self._store.scan(type_name, fields, since)
        return self._paged(pages)

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
            if self._wait is None or not self._wait(found):
                raise found

    def _counted(self, request: Callable[[], _Answer]) -> _Answer:
        before = self._store.calls
        try:
            with self._named():
                return request()
        finally:
            self.budget.spend(self._store.calls - before)
            self.calls = self._store.calls

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Notes on an error which side could not be reached."""
        try:
            yield
        except Unreachable as error:
            error.side = self.side
            raise


def budgeted(
    stores: Mapping[Side, Store],
    limits: Sequence[LimitRule],
    ledger: Ledger,
    zone: tzinfo,
    clock: Clock,
    wait: Wait | None = None,
) -> dict[Side, Store]:
    """The stores, within the budgets of the rules; without any, their calls are only counted.

    With a `wait` their vendors' own limits are waited for, too.
    """
    for store in stores.values():
        if wait is not None and isinstance(store, Patient):
            store.wait_by(wait)
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
