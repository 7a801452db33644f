"""Reports and list views of a local org: a name, a type, and a condition or the ids themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engine.model import Listing, RecordId
from engine.ports import StoreError
from engine.stores.local.ids import INSTANCE, checked_id, full_id
from engine.stores.local.org import OrgFile
from engine.stores.local.reading import rows_of_ids, scan

if TYPE_CHECKING:
    from engine.stores.local.conditions import Filter

__all__ = ["LIST_VIEW", "REPORT", "definition", "drop_list", "ids_in", "lists_of", "make_list"]

REPORT = "report"
LIST_VIEW = "list-view"

_PREFIXES = {REPORT: "00O", LIST_VIEW: "00B"}
_TABLE = (
    "CREATE TABLE IF NOT EXISTS listing (number INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type TEXT NOT NULL, condition TEXT, ids TEXT,"
    " UNIQUE (kind, name))"
)


def lists_of(org: OrgFile, kind: str) -> list[Listing]:
    """The reports, or the list views, in the order in which they were made."""
    if not _has_lists(org):
        return []
    sql = "SELECT kind, id, name, type FROM listing WHERE kind = ? ORDER BY number"
    return [Listing(*row) for row in org.rows(sql, (kind,))]


def make_list(
    org: OrgFile,
    kind: str,
    name: str,
    type_name: str,
    condition: str | None = None,
    ids: Sequence[str] | None = None,
) -> Listing:
    """Keep a list under a name that its kind does not have yet.

    With neither a condition nor ids, it holds all records of its type. Raises `StoreError` for a
    condition that cannot be read, and for what is no id.
    """
    org.table(type_name)
    if condition is not None:
        _filter(org, type_name, condition)
    wrong = [given for given in ids or () if checked_id(given) is None]
    if wrong:
        raise StoreError(f"`{wrong[0]}` is no id of a Salesforce record")
    known = None if ids is None else json.dumps([full_id(given) for given in ids])
    with org.transaction():
        org.db.execute(_TABLE)
        sql = "SELECT id FROM listing WHERE kind = ? AND name = ?"
        if found := org.db.execute(sql, (kind, name)).fetchone():
            raise StoreError(f"there is a {kind} of the name `{name}` already: {found[0]}")
        last = org.db.execute("SELECT coalesce(max(number), 0) FROM listing").fetchone()[0]
        made = full_id(f"{_PREFIXES[kind]}{INSTANCE}{last + 1:09}")
        org.db.execute(
            "INSERT INTO listing (kind, id, name, type, condition, ids) VALUES (?, ?, ?, ?, ?, ?)",
            (kind, made, name, type_name, condition, known),
        )
    return Listing(kind, made, name, type_name)


def drop_list(org: OrgFile, listing: Listing) -> None:
    """Forget a list; its records stay."""
    with org.transaction():
        org.db.execute("DELETE FROM listing WHERE id = ?", (listing.id,))


def ids_in(org: OrgFile, listing: Listing, size: int) -> Iterator[list[RecordId]]:
    """The records in a list as the org is now, page by page. Raises `StoreError`."""
    condition, named = definition(org, listing)
    table = org.table(listing.type)
    if named is not None:
        for start in range(0, len(named), size):
            part = named[start : start + size]
            there = {row[0] for row in rows_of_ids(org, table, [], part)}
            yield [record for record in part if record in there]
        return
    holds = _filter(org, listing.type, condition)
    for page in scan(org, table, holds.fields, None, size):
        yield [row[0] for row in page.rows if holds(row)]


def definition(org: OrgFile, listing: Listing) -> tuple[str | None, list[str] | None]:
    """A list's condition, or the ids that it was made of. Raises `StoreError` if it is gone."""
    sql = "SELECT condition, ids FROM listing WHERE id = ?"
    found = org.rows(sql, (listing.id,)) if _has_lists(org) else []
    if not found:
        raise StoreError(f"there is no {listing.kind} {listing.id} any more")
    condition, ids = found[0]
    return condition, None if ids is None else json.loads(ids)


def _has_lists(org: OrgFile) -> bool:
    return bool(org.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'listing'"))


def _filter(org: OrgFile, type_name: str, condition: str | None) -> Filter:
    # Reading a condition costs the import of the whole language; few acts on an org need it.
    from engine.stores.local.conditions import Filter  # noqa: PLC0415

    return Filter(org, type_name, condition)
