"""Bulk upserts: many records in one request, which answers at once with an import to poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from engine.sandbox.outreach.changing import Change, change_of, changed, made
from engine.sandbox.outreach.errors import ApiError, invalid
from engine.sandbox.outreach.kept import Kept
from engine.sandbox.outreach.resources import Resource, by_type
from engine.sandbox.outreach.watching import Event
from engine.stores.local.org import OrgFile
from engine.stores.local.records import record_of

__all__ = ["DUPE_METHODS", "Imports"]

DUPE_METHODS = ("overwriteNoCreate", "overwrite", "skip", "missing")
_MOST_RECORDS = 10_000
_CHUNK = 100  # records between two chances for other requests
_PARTS = ("dupeMethod", "fileName", "records")


class Imports:
    """The imports of an org. `tell` hears when one is made and when it is finished."""

    def __init__(
        self, org: OrgFile, tell: Callable[[Event], None], done: Callable[[], None]
    ) -> None:
        self.kept = Kept(org, "import")
        self._org, self._tell, self._done = org, tell, done
        self._tasks: set[asyncio.Task[None]] = set()
        for number, found in self.kept.all().items():
            if found["state"] == "running":
                reason = "The server was stopped meanwhile."
                self.kept.put(number, found | {"state": "failed", "errorReason": reason})

    def close(self) -> None:
        """Leave what is not finished as it is."""
        for task in self._tasks:
            task.cancel()

    def start(self, document: Any) -> int:
        """Take a bulk upsert on; the import's id. Raises `ApiError`."""
        method, name, records = _asked(document)
        found = self._blank(method, name, len(records))
        number = self.kept.add(found)
        self._tell(Event("import", "created", number, found))
        task = asyncio.create_task(self._run(number, found, records))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return number

    def _blank(self, method: str, name: str | None, total: int) -> dict[str, Any]:
        now = self._org.as_vendor(self._org.now())
        return {
            "createdAt": now,
            "dupeMethod": method,
            "dupes": 0,
            "errorReason": None,
            "failures": 0,
            "fileName": name,
            "importType": "bulkUpsert",
            "recurring": False,
            "state": "running",
            "stateChangedAt": now,
            "total": total,
            "updatedAt": now,
        }

    async def _run(self, number: int, found: dict[str, Any], records: list[Any]) -> None:
        for start in range(0, len(records), _CHUNK):
            await asyncio.sleep(0)
            with self._org.transaction():
                for record in records[start : start + _CHUNK]:
                    self._upsert(found, record)
        now = self._org.as_vendor(self._org.now())
        found |= {"state": "finished", "stateChangedAt": now, "updatedAt": now}
        self.kept.put(number, found)
        self._tell(Event("import", "finished", number, found))
        self._done()

    def _upsert(self, found: dict[str, Any], raw: Any) -> None:
        try:
            if self._is_dupe(found["dupeMethod"], raw):
                found["dupes"] += 1
        except ApiError as error:
            found["failures"] += 1
            found["errorReason"] = found["errorReason"] or error.troubles[0][0]

    def _is_dupe(self, method: str, raw: Any) -> bool:
        """Upsert a record; whether it was there before. Raises `ApiError`."""
        data = raw["data"] if isinstance(raw, dict) and isinstance(raw.get("data"), dict) else raw
        name = data.get("type") if isinstance(data, dict) else None
        resource = by_type(name) if isinstance(name, str) else None
        if resource is None or not resource.writable:
            raise invalid("A record needs the 'type' of one that can be written.")
        record = _id(data.get("id"))
        change = change_of(resource, {"data": data}, record)
        if record is None:
            if method == "overwriteNoCreate":
                raise invalid("A record without an ID would have to be created.")
            made(self._org, resource, change)
            return False
        kept = record_of(self._org, self._org.table(resource.type), record)
        if kept is None or method in ("overwrite", "overwriteNoCreate"):
            changed(self._org, resource, record, change)
        elif method == "missing":
            self._fill(resource, record, change, kept)
        return True

    def _fill(
        self, resource: Resource, record: int, change: Change, kept: Mapping[str, Any]
    ) -> None:
        """Write only what the record has no value for."""
        related = {n: r.get("data") for n, r in kept["relationships"].items()}
        there = kept["attributes"] | related
        values = {n: v for n, v in change.values.items() if there.get(n) in (None, "", [])}
        if values:
            changed(self._org, resource, record, Change(values, change.types))


def _id(given: Any) -> int | None:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 19:
        return int(given)
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        return given
    raise invalid("An ID is a whole number.", "/data/id")


def _asked(document: Any) -> tuple[str, str | None, list[Any]]:
    """A bulk upsert's method, file name and records. Raises `ApiError`."""
    data = document.get("data") if isinstance(document, dict) else None
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(attributes, dict):
        raise invalid("A bulk upsert needs 'data' with 'attributes'.")
    for name in attributes:
        if name not in _PARTS:
            detail = f"'{name[:80]}' is not an attribute of a bulk upsert."
            raise invalid(detail, f"/data/attributes/{name[:80]}")
    method, records = attributes.get("dupeMethod", "skip"), attributes.get("records")
    if method not in DUPE_METHODS:
        wanted = ", ".join(DUPE_METHODS)
        raise invalid(f"'dupeMethod' must be one of {wanted}.", "/data/attributes/dupeMethod")
    if not isinstance(records, list) or not 0 < len(records) <= _MOST_RECORDS:
        detail = f"'records' must be a list of 1 to {_MOST_RECORDS:,} resource objects."
        raise invalid(detail, "/data/attributes/records")
    if not all(isinstance(record, dict) for record in records):
        raise invalid("'records' must all be resource objects.", "/data/attributes/records")
    name = attributes.get("fileName")
    if name is not None and not isinstance(name, str):
        raise invalid("'fileName' must be a text.", "/data/attributes/fileName")
    return method, name, records
