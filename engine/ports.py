"""The outside worlds as the core sees them: small protocols that stores and clocks fulfil."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, runtime_checkable

from dsl.schema import ObjectType
from engine.model import Cursor, Listing, Page, RecordId, Result, Row, Side, Value, Write

__all__ = [
    "BudgetSpent",
    "Checkable",
    "Checkup",
    "Clock",
    "Lists",
    "Metered",
    "Need",
    "Packing",
    "Patient",
    "Priced",
    "Store",
    "StoreError",
    "Sweeping",
    "Tokens",
    "Unauthorized",
    "Unreachable",
    "Usage",
    "Vault",
    "Wait",
]


class StoreError(Exception):
    """The other side, or the file of a local org, cannot be used as it is."""


class Unreachable(StoreError):
    """The other side could not be reached; nothing of this call is known to have happened.

    `side` is noted by whoever counts the calls, where that is known.
    """

    side: Side | None = None


class BudgetSpent(StoreError):
    """Calls wait for a budget of the rules' `limits`; nothing of the refused request was sent.

    `until` is when there may be calls again.
    """

    def __init__(self, message: str, side: Side, until: datetime) -> None:
        super().__init__(message)
        self.side = side
        self.until = until


#: Waits until there may be calls again; whether to go on then, or to stop.
Wait = Callable[[BudgetSpent], bool]


class Unauthorized(StoreError):
    """The other side refuses the credentials, or what they may do; the message says what to change.

    Nothing of the refused request happened.
    """


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """The current instant, with its zone."""
        ...


class Store(Protocol):
    """One connected system: records by type, read by change and written in batches.

    Field names may be dotted paths through a reference (`Owner.Name`, `stage.name`) wherever rows
    are read. `calls` counts the requests that the vendor counts. `page_size` is how many rows a
    reading call answers at the most, `write_size` how many records a writing call takes; `find`
    looks for up to 200 values a call. `lag` is how long after its stamp a record may become
    visible; scans go back by it.
    """

    side: Side
    page_size: int
    write_size: int
    lag: timedelta

    @property
    def calls(self) -> int: ...

    def now(self) -> str:
        """The server's clock as a stamp, `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
        ...

    def describe(self, type_name: str) -> ObjectType | None:
        """The type as this org has it, or None if it has no such type."""
        ...

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Records changed after `since` (all, if None), in order of stamp and id, page by page.

        Deleted records come in `gone`, as far as the vendor tells, with the first page: a scan that
        is cut off goes on from its rows' cursor. Always yields at least one page.
        Reading goes on correctly while records are written between two pages.
        """
        ...

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        """The records of these ids that exist and are visible, in no particular order."""
        ...

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        """Those of these records that the vendor says were deleted.

        Each with the record that it was merged into, or None. A record that cannot be seen, and of
        which the vendor says nothing, is left out.
        """
        ...

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        """Records whose `key` fields hold one of the `values` (at least; more may be answered).

        Text is found trimmed and without regard to case, a list attribute by any of its elements.
        """
        ...

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        """Create, update and delete; one result per write, in order, each standing by itself.

        A create that names an `upsert` field goes to the record that has its value of that field,
        and says that it `met` one; of two such in a call, the second may be refused. What has no
        external ids creates it.

        Raises `Unreachable` when the outcome of the whole call is unknown. Where some writes have
        an answer, those without one are `UNKNOWN`.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class Usage(NamedTuple):
    """What a vendor counts: calls that anybody made in the last `period` (`day` or `hour`).

    `max` is what the vendor lets through, `resets_at` when the first of these calls stop counting.
    """

    used: int
    max: int
    resets_at: datetime
    period: str


@runtime_checkable
class Metered(Protocol):
    """A store that can tell how many calls the whole org has used; not every one can."""

    def usage(self) -> Usage:
        """The vendor's own count, as it was last told; asking costs no call."""
        ...


@runtime_checkable
class Patient(Protocol):
    """A store that can wait where its vendor has no calls left, instead of `BudgetSpent`."""

    def wait_by(self, wait: Wait) -> None:
        """Wait so from now on, and send again what was refused; nothing of it happened."""
        ...


@runtime_checkable
class Sweeping(Protocol):
    """A store that says whether its scans leave out deletes, so that the engine looks for them."""

    sweeps: bool


@runtime_checkable
class Priced(Protocol):
    """A store of which reading some fields takes more than one call a page."""

    def price(self, type_name: str, fields: Sequence[str]) -> int:
        """How many calls it takes to read a page of new records with these fields."""
        ...


@runtime_checkable
class Packing(Protocol):
    """A store whose writes may take more calls than their number tells, since unlike ones part."""

    def packed(self, writes: Sequence[Write]) -> int:
        """How many calls these take, if none has to be sent again."""
        ...


@runtime_checkable
class Lists(Protocol):
    """What a store may offer besides: the lists of records that its users keep there."""

    def reports(self) -> list[Listing]:
        """The reports whose rows are records of one type."""
        ...

    def list_views(self) -> list[Listing]:
        """The list views."""
        ...

    def listed(self, listing: Listing) -> Iterator[list[RecordId]]:
        """The records in a list as it is now, page by page.

        Raises `StoreError` if it is gone, or its condition can no longer be read.
        """
        ...


class Need(NamedTuple):
    """What the rules need of one type: fields that are read and written (first names of paths)."""

    type: str
    reads: frozenset[str]
    writes: frozenset[str]
    creates: bool
    updates: bool
    deletes: bool


class Checkup(NamedTuple):
    """One thing that was looked at, whether it is right, and if not, which setting to change."""

    what: str
    right: bool
    advice: str = ""


@runtime_checkable
class Checkable(Protocol):
    """A store that can tell whether a connection lets the rules do what they need."""

    def checkups(self, needs: Sequence[Need]) -> Iterator[Checkup]:
        """Each thing looked at, as soon as it is known; the first that is wrong may be the last.

        Raises `Unreachable`; wrong credentials are a checkup.
        """
        ...


class Tokens(NamedTuple):
    """What an authorisation gave; texts are secrets. `expires` is an epoch second, or None."""

    access: str
    refresh: str | None
    expires: float | None
    instance_url: str | None = None

    def __repr__(self) -> str:
        return "Tokens(…)"


class Vault(Protocol):
    """Where one side's tokens are kept from one process to the next, sealed."""

    def tokens(self) -> Tokens | None:
        """What was kept last, by whichever process; None if nothing was. Raises `StoreError`."""
        ...

    def keep(self, tokens: Tokens) -> None:
        """Keep these; on disk, to stay, when it returns: a rotated token is kept before it is used.

        Raises `StoreError`.
        """
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Held while tokens are renewed: of several processes only one does it at a time."""
        ...
