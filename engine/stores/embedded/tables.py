"""One local org's file: its format, its tables made from the describes, its clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dsl.schema import Field, Kind, ObjectType, Side, shipped_schema
from dsl.values import canonical_name, stamp
from engine.ports import Clock, StoreError

__all__ = ["Tables", "quoted"]

FORMAT = "1"
_BUSY_SECONDS = 10.0
_CACHE_KIB = 65_536


def quoted(name: str) -> str:
    """A name from the schema as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


class _SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Tables:
    """The SQLite file under a local org.

    A table a type: `id`, `stamp` (normalised), a column for each field, and `extra` (JSON) for what
    real payloads carry beyond the published schema. `element` holds the elements of list attributes
    in the form in which they match, `gone` the deleted records.
    """

    def __init__(self, side: Side, path: Path, clock: Clock | None = None) -> None:
        self.side = side
        self.path = path
        self.clock = clock or _SystemClock()
        self.schema = shipped_schema()
        self._made: set[str] = set()
        self.db = self._open(path)

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            self._check_format(db)
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error
        db.create_function("fold", 1, canonical_name, deterministic=True)
        return db

    def _explained(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        if "locked" in text:
            return StoreError(f"the local org {self.path} is in use: try again in a moment")
        if "unable to open" in text:
            return StoreError(f"the local org {self.path} cannot be opened: is the folder there?")
        return StoreError(
            f"{self.path} is not a local org (no SQLite database, or damaged): name another file as"
            f" `path` in [{self.side}]"
        )

    def _check_format(self, db: sqlite3.Connection) -> None:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        if "meta" not in tables:
            if tables:
                raise StoreError(
                    f"{self.path} is a database, but not a local org: name another file as `path`"
                    f" in [{self.side}]"
                )
            db.executescript(
                "BEGIN IMMEDIATE;"
                "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
                f"INSERT INTO meta VALUES ('format', '{FORMAT}'), ('side', '{self.side}'),"
                " ('stamp', ''), ('created', '0');"
                "CREATE TABLE element (type TEXT, field TEXT, value, id);"
                "CREATE INDEX element_value ON element (type, field, value);"
                "CREATE INDEX element_id ON element (type, id);"
                "CREATE TABLE gone (type TEXT, id, stamp TEXT, PRIMARY KEY (type, id));"
                "COMMIT;"
            )
            return
        meta = dict(db.execute("SELECT key, value FROM meta"))
        if meta.get("format") != FORMAT:
            raise StoreError(
                f"the local org {self.path} has the format {meta.get('format')}, and this version"
                f" of crosswalk reads {FORMAT}: use the version that made it, or `local dump` it"
                " there and `local load` it here"
            )
        if meta.get("side") != self.side:
            raise StoreError(
                f"{self.path} is a local {str(meta.get('side')).title()} org, and [{self.side}]"
                " names it: exchange the two paths in crosswalk.toml"
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, with the write lock from the start, so that stamps are in order."""
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            self._made.clear()
            raise
        self.db.execute("COMMIT")

    # -- types ----------------------------------------------------------------------------------

    def type(self, name: str) -> ObjectType:
        """The type, with its table there. Raises `StoreError` if the org has no such type."""
        described = self.schema.get(self.side, name)
        if described is None:
            known = ", ".join(self.schema.names(self.side))
            raise StoreError(f"{self.side.title()} has no type `{name}`; it has {known}")
        if name not in self._made:
            self._make(described)
            self._made.add(name)
        return described

    def known(self, name: str) -> bool:
        return (self.side, name) in self.schema.types

    def _make(self, described: ObjectType) -> None:
        table = quoted(described.name)
        affinity = "TEXT" if self.side is Side.SALESFORCE else "INTEGER"
        columns = ", ".join(quoted(f.name) for f in described.fields.values() if not is_id(f))
        self.db.execute(
            f"CREATE TABLE IF NOT EXISTS {table} (_id {affinity} PRIMARY KEY, _stamp TEXT,"
            f" _deleted INTEGER NOT NULL DEFAULT 0, {columns}, _extra TEXT)"
        )
        self.db.execute(
            f"CREATE INDEX IF NOT EXISTS {quoted('changed ' + described.name)}"
            f" ON {table} (_stamp, _id)"
        )

    def index(self, name: str, field: str) -> None:
        """Make records findable by a field; done when the first one is looked for."""
        index = quoted(f"by {field} {name}")
        self.db.execute(
            f"CREATE INDEX IF NOT EXISTS {index} ON {quoted(name)} (fold({quoted(field)}))"
        )

    # -- the clock and counters -----------------------------------------------------------------

    def now(self) -> str:
        """The org's time, which never runs backwards: a stamp with milliseconds."""
        row = self.db.execute("SELECT value FROM meta WHERE key = 'stamp'").fetchone()
        return max(stamp(self.clock.now()), str(row[0]))

    def tick(self) -> str:
        """The stamp of the transaction at work."""
        at = self.now()
        self.db.execute("UPDATE meta SET value = ? WHERE key = 'stamp'", (at,))
        return at

    def numbers(self, name: str, count: int) -> range:
        """So many new numbers for records of a type; none is given twice."""
        key = f"number {name}"
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        first = int(row[0]) + 1 if row else 1
        if self.side is Side.OUTREACH:
            top = self.db.execute(f"SELECT max(_id) FROM {quoted(name)}").fetchone()[0]
            first = max(first, (top or 0) + 1)
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, str(first + count - 1)))
        return range(first, first + count)


def is_id(field: Field) -> bool:
    return field.kind is Kind.ID and field.name in ("Id", "id")


def column_of(field: Field) -> str:
    """The column that holds a field."""
    return "_id" if is_id(field) else quoted(field.name)


def elements_of(type_name: str, record: Any, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of `element` for the list attributes among a record's values."""
    return [
        (type_name, name, canonical_name(element), record)
        for name, value in values.items()
        if isinstance(value, list)
        for element in value
        if isinstance(element, str | int | float)
    ]
