"""A local org as a store, and as a user acts on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from dsl.schema import Field, ObjectType, Side
from engine.model import Cursor, Listing, Outcome, Page, RecordId, Result, Row, Value, Write
from engine.ports import Clock, Usage
from engine.stores.local.calls import count_calls, usage
from engine.stores.local.conversion import convert
from engine.stores.local.custom import as_external_id, field_of, labelled
from engine.stores.local.lists import LIST_VIEW, REPORT, ids_in, lists_of
from engine.stores.local.lives import fates, merge, undelete
from engine.stores.local.org import OrgFile
from engine.stores.local.picklists import add_value, deactivate_value, rename_value
from engine.stores.local.reading import found_rows, rows_of_ids, scan
from engine.stores.local.records import record_of
from engine.stores.local.refusals import Refused
from engine.stores.local.writing import write_all

__all__ = ["LocalOrg", "open_org"]

_PAGE_SIZES = {Side.SALESFORCE: 2000, Side.OUTREACH: 1000}
# One composite request takes five collections of 200 records each, and is one call in all
# (Salesforce REST API Developer Guide, "Composite" and "sObject Collections").
_WRITE_SIZES = {Side.SALESFORCE: 5 * 200, Side.OUTREACH: 1}
_FIND_SIZE = 200


class LocalOrg:
    """A small Salesforce or Outreach in one SQLite file, as a `Store`.

    Stamps are taken inside the transaction that writes, and `now` waits for it: no record appears
    late, so `lag` is zero.
    """

    def __init__(self, file: OrgFile) -> None:
        self.file = file
        self.side = file.side
        self.page_size = _PAGE_SIZES[file.side]
        self.write_size = _WRITE_SIZES[file.side]
        self.lag = timedelta(0)
        self.calls = 0

    def now(self) -> str:
        """The org's clock as a stamp, `YYYY-MM-DDTHH:MM:SS.mmmZ`; it never runs backwards."""
        return self.file.now()

    def describe(self, type_name: str) -> ObjectType | None:
        """The type, or None if the org has no such type."""
        return self.file.describe(type_name)

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        """Records changed after `since`, page by page; each page is one call.

        Deleted ids come with the first page. Raises `StoreError` for an unknown type or field.
        """
        for page in scan(self.file, self.file.table(type_name), fields, since, self.page_size):
            self._count(1)
            yield page

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        """The records of these ids that exist; one call for each `page_size` ids."""
        table, rows = self.file.table(type_name), []
        for start in range(0, len(ids), self.page_size):
            self._count(1)
            rows += rows_of_ids(self.file, table, fields, ids[start : start + self.page_size])
        return rows

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        """Those of these records that were deleted; one call for each `page_size` ids."""
        table, found = self.file.table(type_name), dict[RecordId, RecordId | None]()
        for start in range(0, len(ids), self.page_size):
            self._count(1)
            found |= fates(self.file, table, ids[start : start + self.page_size])
        return found

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        """The records whose `key` fields hold one of the values; one call for each 200 values."""
        table, rows = self.file.table(type_name), dict[RecordId, Row]()
        for start in range(0, len(values), _FIND_SIZE):
            self._count(1)
            chunk = values[start : start + _FIND_SIZE]
            found = found_rows(self.file, table, fields, key, chunk)
            rows.update((row[0], row) for row in found)
        return list(rows.values())

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        """Create, update and delete, each by the vendor's rules; one call per `write_size`."""
        table = self.file.table(type_name)
        if not writes:
            return []
        self._count(-(-len(writes) // self.write_size))
        return write_all(self.file, table, writes)

    def usage(self) -> Usage:
        """The calls that anybody made: of 24 hours in Salesforce, of this hour in Outreach."""
        return usage(self.file)

    def _count(self, calls: int) -> None:
        self.calls += calls
        count_calls(self.file, calls)

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    # -- lists ----------------------------------------------------------------------------------

    def reports(self) -> list[Listing]:
        """The reports that were made here; none in Outreach."""
        return lists_of(self.file, REPORT)

    def list_views(self) -> list[Listing]:
        """The list views that were made here; none in Outreach."""
        return lists_of(self.file, LIST_VIEW)

    def listed(self, listing: Listing) -> Iterator[list[RecordId]]:
        """The records in a list as it is now; each page is one call. Raises `StoreError`."""
        for ids in ids_in(self.file, listing, self.page_size):
            self._count(1)
            yield ids

    # -- what a user does -----------------------------------------------------------------------

    def create(self, type_name: str, values: dict[str, Value]) -> RecordId:
        """Make a record; its id. Raises `Refused`."""
        return self._act(type_name, Write(None, values))

    def edit(self, type_name: str, record: RecordId, values: dict[str, Value]) -> RecordId:
        """Change a record; its id as the org keeps it. Raises `Refused`."""
        return self._act(type_name, Write(record, values))

    def delete(self, type_name: str, record: RecordId) -> RecordId:
        """Delete a record; its id as the org keeps it. Raises `Refused`."""
        return self._act(type_name, Write(record, delete=True))

    def undelete(self, type_name: str, record: RecordId) -> RecordId:
        """Bring a deleted record back; its id as the org keeps it. Raises `Refused`."""
        return undelete(self.file, self.file.table(type_name), record)

    def merge(self, type_name: str, master: RecordId, loser: RecordId) -> RecordId:
        """Merge a record into a master, whose id it gives. Raises `Refused`."""
        return merge(self.file, self.file.table(type_name), master, loser)

    def convert(
        self,
        lead: RecordId,
        account: str | None = None,
        contact: str | None = None,
        opportunity: str | None = None,
        status: str | None = None,
    ) -> dict[str, RecordId | None]:
        """Convert a lead; the ids of what came of it, by type. Raises `Refused`."""
        return convert(self.file, lead, account, contact, opportunity, status)

    def get(self, type_name: str, record: RecordId) -> dict[str, Any] | None:
        """A record in its vendor's JSON shape, or None if it is not there."""
        return record_of(self.file, self.file.table(type_name), record)

    def add_field(
        self, type_name: str, name: str, kind: str, external_id: bool = False, **more: Any
    ) -> Field:
        """Add a custom field to a Salesforce type, as an administrator does. Raises `Refused`.

        `kind` is one of `FIELD_TYPES`; `more` may have `values`, `length`, `label` and `to`. By an
        `external_id`, a text, records can be named; no two have the same.
        """
        type_ = self.file.table(type_name).type
        if (target := more.get("to")) is not None:
            self.file.table(target)
        field = field_of(type_, name, kind, **more)
        return self._kept(type_name, as_external_id(field) if external_id else field)

    def label_field(self, type_name: str, name: str, label: str) -> Field:
        """Give a custom field another label. Raises `Refused`."""
        return self._kept(type_name, labelled(self.file.table(type_name).type, name, label))

    def change_picklist(self, type_name: str, name: str, act: str, *values: str) -> Field:
        """`add`, `rename` (its old and new name) or `deactivate` a value. Raises `Refused`."""
        change: Any = {"add": add_value, "rename": rename_value, "deactivate": deactivate_value}
        found: Field = change[act](self.file, type_name, name, *values)
        return found

    def _kept(self, type_name: str, field: Field) -> Field:
        with self.file.transaction():
            self.file.keep_field(type_name, field)
        return field

    def _act(self, type_name: str, write: Write) -> RecordId:
        [result] = write_all(self.file, self.file.table(type_name), [write])
        if result.outcome is not Outcome.DONE or result.id is None:
            raise Refused(result.code, result.message, result.fields)
        return result.id


def open_org(side: Side, path: Path, clock: Clock | None = None) -> LocalOrg:
    """Open the local org in a file, or make an empty one; `:memory:` keeps it in memory.

    Raises `StoreError` if the file is something else, of the other side or of another version.
    """
    return LocalOrg(OrgFile(side, path, clock))
