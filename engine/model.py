"""The values that pass between the stores and the core: rows, cursors, writes and their results."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from dsl.schema import Side

__all__ = [
    "DIRECTIONS",
    "NO_CALLS",
    "SIDES",
    "Action",
    "Cursor",
    "Direction",
    "Listing",
    "Outcome",
    "Page",
    "RecordId",
    "Result",
    "Row",
    "Side",
    "Value",
    "Write",
]

#: A Salesforce id in its 18-character form, or an Outreach id.
RecordId = str | int

#: A field's value as a store gives and takes it: text, number, boolean, None, a list of these, or
#: an id where the field is a reference. Dates are `YYYY-MM-DD`, date-times ISO 8601 with a zone.
Value = Any

#: One record, projected: `(id, stamp, *values)` in the order of the fields that were asked for. The
#: stamp is the store's own change stamp (SystemModstamp, updatedAt) as `YYYY-MM-DDTHH:MM:SS.mmmZ`.
Row = tuple[Any, ...]


class Direction(StrEnum):
    """The way a change flows: inbound is from Salesforce to Outreach."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"

    @classmethod
    def out_of(cls, side: Side) -> Direction:
        """The direction in which changes of `side` flow."""
        return cls.INBOUND if side is Side.SALESFORCE else cls.OUTBOUND

    source: Side
    target: Side


# Plain attributes: as properties they were a tenth of a cycle's time.
Direction.INBOUND.source = Direction.OUTBOUND.target = Side.SALESFORCE
Direction.OUTBOUND.source = Direction.INBOUND.target = Side.OUTREACH


#: Iterating an enumeration costs ten times what iterating a tuple does.
SIDES = tuple(Side)
DIRECTIONS = tuple(Direction)


class Action(StrEnum):
    """What a decision does to one record, as plans and logs name it."""

    CREATE = "create"
    UPDATE = "update"
    LINK = "link"
    UNLINK = "unlink"
    DELETE = "delete"
    HOLD = "hold"
    SKIP = "skip"


class Listing(NamedTuple):
    """A list of records that users keep in a store: a report or a list view of one type."""

    kind: str
    id: str
    name: str
    type: str


class Cursor(NamedTuple):
    """A place in a type's changes: everything up to `(stamp, id)` has been read.

    `id` is "" (or 0) before the first record of that stamp. Stamps are the server's.
    """

    stamp: str
    id: RecordId


class Page(NamedTuple):
    """One page of a scan, which is one call where the vendor counts calls.

    `gone` are the ids of records that were deleted since; `last` is the cursor behind this page;
    `done` says that no further page follows.
    """

    rows: list[Row]
    gone: list[RecordId]
    last: Cursor
    done: bool


@dataclass(frozen=True, slots=True)
class Write:
    """One record to be created (`id` is None), updated, or deleted (`delete`).

    `values` by API name. A reference is an id. A list attribute is the whole new list. A create
    that names an external-id field among its values, as `upsert`, is written to the record that
    has that value, if there is one.
    """

    id: RecordId | None
    values: dict[str, Value] = field(default_factory=dict)
    delete: bool = False
    upsert: str | None = None


#: The code of a write that was not sent for want of calls, which is `TRANSIENT`; no vendor's own.
NO_CALLS = "BUDGET"


class Outcome(StrEnum):
    """How the vendor answered one write.

    `REFUSED` is for good, until the record or the rule changes; `TRANSIENT` may go through when
    tried again; `GONE` means that the record to be written is deleted or was never there. `UNKNOWN`
    is a write without an answer, which may have gone through, among others that have one.
    """

    DONE = "done"
    REFUSED = "refused"
    TRANSIENT = "transient"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """The vendor's answer to one write: the record's id, or its own error code and message.

    An upsert that was written to a record that was there has `met` it.
    """

    outcome: Outcome
    id: RecordId | None = None
    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()
    met: bool = False
