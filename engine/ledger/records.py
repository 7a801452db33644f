"""What the ledger gives and takes: links, what waits, and what one commit holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from engine.model import Cursor, RecordId, Side

__all__ = [
    "ABOUT",
    "REVIEW",
    "Commit",
    "Held",
    "Intent",
    "LedgerError",
    "Link",
    "LogRow",
    "Pending",
    "Tombstone",
    "about",
]

#: Before a pair's name in `Pending.needs_pair`: `needs_id` then names what is in the way.
ABOUT = "about "


class LedgerError(Exception):
    """The ledger cannot be used as it is; the message says why and what to do."""


class Link(NamedTuple):
    """Two linked records and their bases, each a JSON array in the order of the layout's lines."""

    salesforce_id: str
    outreach_id: int
    layout: int
    salesforce_base: bytes
    outreach_base: bytes

    def id(self, side: Side) -> RecordId:
        return self.salesforce_id if side is Side.SALESFORCE else self.outreach_id

    def base(self, side: Side) -> bytes:
        return self.salesforce_base if side is Side.SALESFORCE else self.outreach_base


class Tombstone(NamedTuple):
    """A link that ended when its record of the side `gone` was deleted, merged or converted."""

    link: Link
    gone: Side
    at: str


class Pending(NamedTuple):
    """A record to be looked at again, though it has not changed; see `schema.pending`."""

    pair: str
    side: Side
    record_id: RecordId
    why: str
    needs_pair: str = ""
    needs_id: str = ""
    message: str = ""


class Held(NamedTuple):
    """What a held record waits as: the `why`, `needs_pair` and `needs_id` of its `Pending`."""

    why: str = "review"
    needs_pair: str = ""
    needs_id: str = ""


REVIEW = Held()


def about(pair: str, ids: Iterable[RecordId | None]) -> Held:
    """Held for review until one of these records moves, or is linked or unlinked in `pair`."""
    names = sorted({str(record) for record in ids if record is not None})
    return Held("review", f"{ABOUT}{pair}", msgspec.json.encode(names).decode())


class Intent(NamedTuple):
    """A write about to be sent: what `schema.change` keeps of it. `id` is None for a new one."""

    pair: str
    layout: int
    action: str
    direction: str
    salesforce_id: str | None
    outreach_id: int | None
    fields: bytes
    reason: str
    rule: str
    id: int | None = None


class LogRow(NamedTuple):
    """One row of the technical log; internal is Outreach, external is Salesforce."""

    status: str
    message: str
    internal_type: str | None = None
    internal_id: RecordId | None = None
    external_type: str | None = None
    external_id: RecordId | None = None


@dataclass
class Commit:
    """All that one batch changes in the ledger, committed in one transaction.

    `moved` are the records of each pair that were observed to be new, changed or gone: what is held
    about them may go on. `noted` is what was done in the ledger alone, by hand. `links` are (pair,
    Link), `unlinks` (pair, Salesforce id, side that is gone), `revived` (pair, Salesforce id,
    Outreach id) of tombstones that no longer count, `answers` (change id, state, Salesforce id,
    Outreach id, error), `seen` the records whose earlier pending rows no longer count, `cursor`
    (pair, side, place, horizon), `lately` what records held that may be read again (pair, side, id,
    stamp, digest).
    """

    moved: dict[str, list[RecordId]] = field(default_factory=dict)
    noted: list[Intent] = field(default_factory=list)
    links: list[tuple[str, Link]] = field(default_factory=list)
    unlinks: list[tuple[str, str, Side]] = field(default_factory=list)
    revived: list[tuple[str, str, int]] = field(default_factory=list)
    answers: list[tuple[int, str, str | None, int | None, str | None]] = field(default_factory=list)
    seen: list[tuple[str, Side, RecordId]] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    logs: list[LogRow] = field(default_factory=list)
    lately: list[tuple[str, Side, RecordId, str, bytes]] = field(default_factory=list)
    cursor: tuple[str, Side, Cursor, str] | None = None
