"""The file of a local org: its types and tables, its time, and transactions that stamp."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from dsl.schema import Field, ObjectType, Schema, Side, shipped_schema
from engine.model import RecordId
from engine.ports import Clock, StoreError
from engine.stores.local.custom import as_document, extended, of_document
from engine.stores.local.ids import PREFIXES, full_id, minted_id
from engine.stores.local.opening import FORMAT, failure, opened
from engine.stores.local.stamps import SystemClock, as_vendor, stamp
from engine.stores.local.tables import Table, quoted, shape, table_of

__all__ = ["OrgFile", "TakeBack"]

_CUSTOM = """
CREATE TABLE IF NOT EXISTS custom (type TEXT, name TEXT, field TEXT NOT NULL,
  PRIMARY KEY (type, name))
"""
_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_PART = ("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))


class TakeBack(Exception):
    """Raised in a transaction to leave everything as it was; it goes no further."""


class OrgFile:
    """An open local org: one SQLite file, in which each type of the schema has a table.

    Not for several threads at once; several processes may each open the same file.
    """

    def __init__(self, side: Side, path: Path, clock: Clock | None = None) -> None:
        """Open the file, or make it. Raises `StoreError`."""
        self.side = side
        self.path = path
        self._clock = clock or SystemClock()
        self._schema: Schema = shipped_schema()
        self._tables: dict[str, Table] = {}
        self._made: set[str] = set()
        self._custom: dict[str, tuple[Field, ...]] = {}
        self._rows: list[tuple[str, str]] = []
        self._version = -1
        try:
            self.db = opened(side, path)
            self._read_custom()
        except sqlite3.Error as error:
            raise failure(self.side, self.path, error) from None

    # -- the file -------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()

    # -- the time -------------------------------------------------------------------------------

    def now(self) -> str:
        """The org's clock as a stamp, which never runs backwards.

        Waits for a write that is under way: no record can appear later with an earlier stamp.
        """
        if self.db.in_transaction:
            return self._moment()
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "readonly" not in str(error):
                raise failure(self.side, self.path, error) from None
            return self._moment()
        try:
            return self._moment()
        finally:
            self.db.execute("ROLLBACK")

    def instant(self) -> datetime:
        """The computer's, or the test's, clock as it is."""
        return self._clock.now()

    def glance(self) -> datetime:
        """As `now`, without waiting for a write that is under way."""
        return datetime.fromisoformat(self._moment())

    def _moment(self) -> str:
        meta = dict(self.db.execute("SELECT key, value FROM meta WHERE key IN ('ahead', 'stamp')"))
        ahead = timedelta(seconds=float(meta.get("ahead", 0)))
        return max(stamp(self._clock.now() + ahead), str(meta["stamp"]))

    def move_clock(self, time: timedelta) -> None:
        """Let the org's clock run ahead of this machine's by so much more, from now on."""
        with self.transaction():
            self.db.execute(
                "INSERT INTO meta VALUES ('ahead', ?)"
                " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS REAL) + excluded.value",
                (time.total_seconds(),),
            )

    @contextmanager
    def transaction(self) -> Iterator[str]:
        """All or nothing; gives the stamp for what is written. Raises `StoreError`.

        Within another one it is a part of that, and takes back only what it did itself.
        """
        within = self.db.in_transaction
        begin, commit, rollback = _PART if within else _WHOLE
        try:
            self.db.execute(begin)
            moment = self._moment()
            if self.side is Side.SALESFORCE:
                moment = moment[:19] + ".000Z"
            yield moment
            self.seen(moment)
            self.db.execute(commit)
        except BaseException as error:
            with suppress(sqlite3.Error):
                for statement in rollback:
                    self.db.execute(statement)
            self._made.clear()  # the tables may have been made in what was rolled back
            with suppress(sqlite3.Error):
                self._read_custom()
            if isinstance(error, TakeBack):
                return
            if isinstance(error, sqlite3.Error):
                raise failure(self.side, self.path, error) from None
            raise

    def seen(self, moment: str) -> None:
        """Keep the latest stamp of the org, in a transaction."""
        self.db.execute(
            "UPDATE meta SET value = max(value, ?) WHERE key = 'stamp'",
            (moment,),
        )

    def as_vendor(self, moment: str) -> str:
        """A stamp as the vendor writes a date-time."""
        return as_vendor(self.side, moment)

    # -- types and ids --------------------------------------------------------------------------

    def describe(self, type_name: str) -> ObjectType | None:
        """The type with its custom fields, or None if the org has no such type."""
        type_ = self._schema.get(self.side, type_name)
        own = self._custom.get(type_name)
        return type_ if type_ is None or own is None else extended(type_, own)

    def custom_fields(self, type_name: str) -> tuple[Field, ...]:
        """What was added to a shipped type, in the order that it came in."""
        return self._custom.get(type_name, ())

    def customized(self) -> dict[str, tuple[Field, ...]]:
        """The custom fields of all types that have some, by type."""
        return dict(sorted(self._custom.items()))

    def keep_field(self, type_name: str, field: Field) -> None:
        """Add a custom field, or keep it anew, in a transaction; what was loaded goes into it."""
        known = self.describe(type_name)
        adds = known is not None and field.name not in known.fields
        self.db.execute(_CUSTOM)
        document = msgspec.json.encode(as_document(field)).decode()
        sql = "INSERT OR REPLACE INTO custom VALUES (?, ?, ?)"
        self.db.execute(sql, (type_name, field.name, document))
        self.db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (str(FORMAT),))
        if adds and self.made(type_name):
            self._widen(type_name, field)
            if field.unique:
                self._index(type_name, field)
        self._read_custom()

    def _widen(self, type_name: str, field: Field) -> None:
        name, column = quoted(type_name), quoted(field.name)
        default = " DEFAULT 0" if shape(field) == "boolean" else ""
        self.db.execute(f"ALTER TABLE {name} ADD COLUMN {column}{default}")
        at = f"'$.fields.{column}'"
        self.db.execute(
            f"UPDATE {name} SET {column} = coalesce(json_extract(_extra, {at}), {column}),"
            f" _extra = json_remove(_extra, {at}) WHERE json_type(_extra, {at}) IS NOT NULL"
        )

    def _index(self, type_name: str, field: Field) -> None:
        """Know which record holds which value of a field that is unique from now on."""
        at = (type_name, field.name)
        table = self.table(type_name)
        self.db.execute("INSERT OR IGNORE INTO indexed VALUES (?, ?)", at)
        name, key = quoted(field.name), quoted(table.key)
        self.db.execute(
            f"INSERT OR IGNORE INTO element SELECT ?, ?, folded({name}), {key} FROM {table.name}"
            f" WHERE folded({name}) <> ''",
            at,
        )

    def refresh(self) -> None:
        """Know of the custom fields that other processes have added or labelled."""
        (version,) = self.db.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            if self._custom_rows() != self._rows:
                self._read_custom()

    def _custom_rows(self) -> list[tuple[str, str]]:
        if not self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'custom'").fetchone():
            return []
        return self.db.execute("SELECT type, field FROM custom ORDER BY rowid").fetchall()

    def _read_custom(self) -> None:
        """Know the custom fields that the file has."""
        self._custom, self._tables = {}, {}
        self._rows = self._custom_rows()
        for type_name, raw in self._rows:
            type_ = self.describe(type_name)
            if type_ is not None:
                found = of_document(type_, msgspec.json.decode(raw))
                others = [f for f in self.custom_fields(type_name) if f.name != found.name]
                self._custom[type_name] = (*others, found)

    def table(self, type_name: str) -> Table:
        """A type's table, which may not be there yet. Raises `StoreError` for an unknown type."""
        if type_name not in self._tables:
            type_ = self.describe(type_name)
            if type_ is None:
                near = get_close_matches(type_name, self._schema.names(self.side), 1)
                hint = f"; did you mean `{near[0]}`?" if near else ""
                vendor = self.side.title()
                raise StoreError(f"the local {vendor} org has no type `{type_name}`{hint}")
            self._tables[type_name] = table_of(type_)
        return self._tables[type_name]

    def made(self, type_name: str) -> bool:
        """Whether the type's table is there, which it is from the first record on."""
        if type_name not in self._made:
            sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
            if not self.rows(sql, (type_name,)):
                return False
            self._made.add(type_name)
        return True

    def make(self, table: Table) -> None:
        """See in a transaction that the type's table is there."""
        if not self.made(table.type.name):
            for statement in table.ddl():
                self.db.execute(statement)
            if table.unique:
                pairs = [(table.type.name, name) for name in table.unique]
                self.db.executemany("INSERT OR IGNORE INTO indexed VALUES (?, ?)", pairs)

    def types(self) -> list[str]:
        """The names of the types that have a table."""
        names = (row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type='table'"))
        return sorted(name for name in names if self.describe(name) is not None)

    def record_id(self, given: Any) -> RecordId:
        """An id as the org keeps it; what cannot be one finds nothing."""
        if self.side is Side.SALESFORCE:
            return full_id(given) if isinstance(given, str) and given.isascii() else ""
        if isinstance(given, str) and given.isascii() and given.isdigit():
            given = int(given)
        good = isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 1 << 63
        return given if good else 0

    def last_number(self, type_name: str) -> int:
        """The number of the last id that was made or loaded for a type."""
        found = self.rows("SELECT last FROM counter WHERE type = ?", (_counter(self, type_name),))
        return int(found[0][0]) if found else 0

    def keep_number(self, type_name: str, last: int) -> None:
        """Count ids of a type on from `last`, in a transaction."""
        self.db.execute(
            "INSERT INTO counter VALUES (?, ?)"
            " ON CONFLICT (type) DO UPDATE SET last = max(last, excluded.last)",
            (_counter(self, type_name), last),
        )

    def new_id(self, type_name: str, number: int) -> RecordId:
        """The id that has a number."""
        return number if self.side is Side.OUTREACH else minted_id(type_name, number)

    # -- rows -----------------------------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises `StoreError`."""
        try:
            return self.db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise failure(self.side, self.path, error) from None


def _counter(org: OrgFile, type_name: str) -> str:
    """What ids are counted by: two Salesforce types may share one key prefix."""
    return type_name if org.side is Side.OUTREACH else PREFIXES[type_name]
