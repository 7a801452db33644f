"""Sees what changes in the org, whoever changed it, and says so as events for webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dsl.schema import Kind
from engine.sandbox.outreach.resources import Resource, by_type
from engine.stores.local.org import OrgFile
from engine.stores.local.tables import Table, quoted, shape

__all__ = ["Event", "Watcher"]

_Values = tuple[Any, ...]
_CHUNK = 2000  # rows that are read before others have their turn
#: Columns that say by themselves what happened to a record, once they have a value, or another.
_HAPPENINGS: dict[str, dict[str, str]] = {
    "mailing": {
        "bouncedAt": "bounced",
        "deliveredAt": "delivered",
        "openedAt": "opened",
        "repliedAt": "replied",
    },
    "sequenceState": {"sequenceStep": "advanced"},
    "task": {"completedAt": "completed"},
}


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a record: the fields that changed, and what was there before."""

    resource: str
    action: str
    id: int
    after: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Watched:
    """A type: what its records were when last looked at, packed, and up to which stamp."""

    resource: Resource
    table: Table
    since: str
    known: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = tuple(self.table.columns)
        columns = ", ".join(map(quoted, self.names))
        self.sql = f"SELECT id, _stamp, {columns} FROM {self.table.name} WHERE"


class Watcher:
    """Compares the org with what it was; only the types that it is told to watch."""

    def __init__(self, org: OrgFile) -> None:
        self._org = org
        self._watched: dict[str, _Watched] = {}
        self._seen: tuple[int, int] | None = None

    async def watch(self, types: Iterable[str]) -> None:
        """Watch these types, and no others, from now on."""
        wanted = set(types)
        self._watched = {n: w for n, w in self._watched.items() if n in wanted}
        for name in sorted(wanted - self._watched.keys()):
            resource = by_type(name)
            if resource is not None:
                await self._begin(resource)

    async def _begin(self, resource: Resource) -> None:
        watched = _Watched(resource, self._org.table(resource.type), self._org.now())
        last = 0
        while self._org.made(resource.type):
            sql = f"{watched.sql} id > ? ORDER BY id LIMIT {_CHUNK}"
            rows = self._org.rows(sql, (last,))
            watched.known.update((row[0], _packed(row[2:])) for row in rows)
            if len(rows) < _CHUNK:
                break
            last = rows[-1][0]
            await asyncio.sleep(0)
        self._watched[resource.type] = watched

    def look(self) -> list[Event]:
        """What has happened since the last look, in the order that it happened in."""
        [(version,)] = self._org.rows("PRAGMA data_version")
        state = (version, self._org.db.total_changes)
        if not self._watched or state == self._seen:
            return []
        self._seen = state
        found: list[tuple[str, Event]] = []
        for watched in self._watched.values():
            found += self._of_type(watched)
        return [event for _, event in sorted(found, key=lambda each: each[0])]

    def _of_type(self, watched: _Watched) -> list[tuple[str, Event]]:
        found: list[tuple[str, Event]] = []
        name, latest = watched.resource.type, watched.since
        if self._org.made(name):
            sql = f"{watched.sql} _stamp >= ? ORDER BY _stamp, id"
            for row in self._org.rows(sql, (watched.since,)):
                packed = _packed(row[2:])
                before = watched.known.get(row[0])
                if packed != before:
                    watched.known[row[0]] = packed
                    old = None if before is None else _unpacked(before)
                    found += ((row[1], event) for event in _events(watched, row[0], old, row[2:]))
                latest = max(latest, row[1])
        sql = "SELECT id, stamp FROM deleted WHERE type = ? AND stamp >= ? ORDER BY stamp, id"
        for record, moment in self._org.rows(sql, (name, watched.since)):
            packed_before = watched.known.pop(record, None)
            if packed_before is not None:
                kept = _shaped(watched, _unpacked(packed_before))
                found.append((moment, Event(name, "destroyed", record, kept)))
            latest = max(latest, moment)
        watched.since = latest
        return found


def _packed(values: Sequence[Any]) -> bytes:
    return msgspec.msgpack.encode(values)


def _unpacked(packed: bytes) -> _Values:
    return tuple(msgspec.msgpack.decode(packed))


def _events(watched: _Watched, record: int, before: _Values | None, after: _Values) -> list[Event]:
    name = watched.resource.type
    empty = (None,) * len(after) if before is None else before
    changed = [at for at, value in enumerate(after) if value != empty[at]]
    new = _shaped(watched, after, changed)
    old = {} if before is None else _shaped(watched, before, changed)
    found = [Event(name, "created" if before is None else "updated", record, new, old)]
    happenings = _HAPPENINGS.get(name, {})
    for at in changed:
        happened = happenings.get(watched.names[at])
        if happened is not None and after[at] is not None:
            first = happened == "advanced" and empty[at] is None
            found += [] if first else [Event(name, happened, record, new, old)]
    if name == "sequenceState" and new.get("state") == "finished":
        found.append(Event(name, "finished", record, new, old))
    return found


def _shaped(
    watched: _Watched, values: _Values, places: Iterable[int] | None = None
) -> dict[str, Any]:
    """Values as the API has them, by name; a relationship to one record as its id."""
    found = {}
    for at in range(len(values)) if places is None else places:
        field_, value = watched.table.columns[watched.names[at]], values[at]
        if field_.many or (field_.kind is Kind.REFERENCE and field_.linked):
            continue
        match shape(field_):
            case "boolean" if value is not None:
                value = bool(value)
            case "json" if value is not None:
                value = msgspec.json.decode(value)
        found[field_.name] = value
    return found
