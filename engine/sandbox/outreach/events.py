"""The activity feed, which Outreach writes by itself: from the mailings, calls and tasks there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.sandbox.outreach.resources import by_type
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import quoted

__all__ = ["FEED", "Feed"]

#: Above the ids of events that were loaded. An event's own id is made of its record's, so that it
#: stays the same however often the feed is read.
_FIRST = 1_000_000_000_000
_KINDS = 64


@dataclass(frozen=True)
class _Happening:
    """An event for each record of a type with a value in `at`, where `only` holds."""

    number: int
    name: str
    type: str
    at: str
    only: str = "1"
    payload: tuple[str, ...] = ()


_MAIL = ("subject",)
_OUT, _IN = "mailingType NOT IN ('reply', 'inbound')", "mailingType IN ('reply', 'inbound')"
#: Of the vendor's names only a few are published; the others are put together as those are.
_HAPPENINGS = (
    _Happening(1, "outbound_message", "mailing", "deliveredAt", _OUT, _MAIL),
    _Happening(2, "inbound_message", "mailing", "deliveredAt", _IN, _MAIL),
    _Happening(3, "message_opened", "mailing", "openedAt", "1", _MAIL),
    _Happening(4, "message_clicked", "mailing", "clickedAt", "1", _MAIL),
    _Happening(5, "message_bounced", "mailing", "bouncedAt", "1", _MAIL),
    _Happening(6, "outbound_call", "call", "createdAt", "direction IS NOT 'inbound'", ("outcome",)),
    _Happening(7, "inbound_call", "call", "createdAt", "direction IS 'inbound'", ("outcome",)),
    _Happening(8, "task_completed", "task", "completedAt", "1", ("action",)),
    _Happening(9, "meeting_booked", "meeting", "bookedAt", "1", ("subject", "startTime")),
    _Happening(
        10, "meeting_rescheduled", "meeting", "rescheduledAt", "1", ("subject", "startTime")
    ),
    _Happening(11, "meeting_canceled", "meeting", "canceledAt", "1", ("subject", "startTime")),
    _Happening(12, "outbound_sms", "text", "sentAt", "1", ("body",)),
    _Happening(13, "inbound_sms", "text", "receivedAt", "1", ("body",)),
    _Happening(14, "prospect_created", "prospect", "createdAt"),
    _Happening(15, "prospect_opted_out", "prospect", "optedOutAt"),
    _Happening(
        16, "sequence_state_finished", "sequenceState", "stateChangedAt", "state = 'finished'"
    ),
    _Happening(17, "user_created", "user", "createdAt"),
)


@dataclass(frozen=True)
class Feed:
    """What happened, as the records of the org tell it."""

    happenings: Sequence[_Happening]

    def sql(self, org: OrgFile) -> str | None:
        """The feed as a row source `t` with the columns of an event; None if it is empty."""
        event = org.table("event")
        columns = ["id", "_stamp", *event.columns, "_extra"]
        parts = [self._part(h, columns) for h in self.happenings if org.made(h.type)]
        if org.made("event"):
            parts.append(f"SELECT {', '.join(map(quoted, columns))} FROM event")
        return f"({' UNION ALL '.join(parts)}) AS t" if parts else None

    def _part(self, happening: _Happening, columns: Sequence[str]) -> str:
        resource = by_type(happening.type)
        assert resource is not None  # noqa: S101 - the table above names resources
        at = quoted(happening.at)
        values = {
            "id": f"{_FIRST} + id * {_KINDS} + {happening.number}",
            "_stamp": "_stamp",
            "name": f"'{happening.name}'",
            "eventAt": at,
            "createdAt": at,
            "requestProxied": "0",
            happening.type: "id",
        }
        for name in resource.singles:
            if name in columns:
                values.setdefault(name, quoted(name))
        if happening.payload:
            pairs = ", ".join(f"'{name}', {quoted(name)}" for name in happening.payload)
            values["payload"] = f"json_object({pairs})"
        listed = ", ".join(f"{values.get(name, 'NULL')} AS {quoted(name)}" for name in columns)
        table = quoted(happening.type)
        return f"SELECT {listed} FROM {table} WHERE {at} IS NOT NULL AND {happening.only}"


FEED = Feed(_HAPPENINGS)
