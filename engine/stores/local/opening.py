"""How the file of a local org is opened: its layout and format, and what is wrong with others."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from dsl.schema import Side
from engine.ports import StoreError
from engine.stores.local.stamps import instant

__all__ = ["FORMAT", "failure", "folded", "opened"]

#: The version of the file's layout. A file is in format 1 until it gets a custom field, of which an
#: earlier version of this program would know nothing.
FORMAT = 2
_PLAIN = 1

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE counter (type TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE indexed (type TEXT, attribute TEXT, PRIMARY KEY (type, attribute)) WITHOUT ROWID;
CREATE TABLE element (type TEXT, attribute TEXT, folded, id,
  PRIMARY KEY (type, attribute, folded, id)) WITHOUT ROWID;
CREATE TABLE deleted (type TEXT, id, stamp TEXT NOT NULL, record TEXT,
  PRIMARY KEY (type, id)) WITHOUT ROWID;
CREATE INDEX "deleted by stamp" ON deleted (type, stamp);
"""
_PATIENCE = 60.0  # seconds that one process waits for another one's transaction
_MAPPED = 1 << 26  # bytes read without a copy; bounded, since they count as memory in use
_PAGES = -32_000  # kibibytes of cache: a page of wide rows, and the indexes that it touches


def folded(value: Any) -> Any:
    """Text trimmed and case-folded; anything else as it is."""
    return value.strip().casefold() if isinstance(value, str) else value


def _stamp_of(value: Any) -> str | None:
    return instant(value) if isinstance(value, str) else None


# A SELECT names its columns `x [crosswalk_json]`, so that SQLite's own loop converts them; these
# two are C functions, since they are called for each value.
sqlite3.register_converter("crosswalk_boolean", b"1".__eq__)
sqlite3.register_converter("crosswalk_json", msgspec.json.Decoder().decode)


def opened(side: Side, path: Path) -> sqlite3.Connection:
    """A connection to the org in a file, which is made if it is not there.

    Raises `StoreError` if the file is something else, or `sqlite3.Error`.
    """
    db = sqlite3.connect(
        path,
        timeout=_PATIENCE,
        isolation_level=None,
        detect_types=sqlite3.PARSE_COLNAMES,
        cached_statements=256,
    )
    try:
        db.create_function("folded", 1, folded, deterministic=True)
        db.create_function("stamp_of", 1, _stamp_of, deterministic=True)
        db.execute(f"PRAGMA cache_size = {_PAGES}")
        db.execute(f"PRAGMA mmap_size = {_MAPPED}")
        if not _known(side, path, db):
            db.execute("PRAGMA journal_mode = WAL")
            _make(side, path, db)
        db.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        db.close()
        raise
    return db


def _known(side: Side, path: Path, db: sqlite3.Connection) -> bool:
    """Whether the file is an org of this side; False if it is empty."""
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master LIMIT 1000")}
    if not tables:
        return False
    if "meta" not in tables or "counter" not in tables:
        raise StoreError(
            f"{path} is an SQLite file, but no local org: name another `path` for"
            f" [{side}], or move the file away to start with an empty org"
        )
    meta = dict(db.execute("SELECT key, value FROM meta"))
    if meta.get("format") not in (str(_PLAIN), str(FORMAT)):
        raise StoreError(
            f"{path} is a local org in format {meta.get('format')}, and this version of"
            f" crosswalk reads formats up to {FORMAT}: dump it with the version that wrote it,"
            " then load it into a new file"
        )
    if meta.get("side") != side:
        raise StoreError(
            f"{path} is a local {meta.get('side')} org, and [{side}] needs a"
            f" {side} one: correct `path` in crosswalk.toml"
        )
    return True


def _make(side: Side, path: Path, db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    # Another process may have made the org while this one waited for the lock.
    if not _known(side, path, db):
        for statement in _TABLES.split(";"):
            db.execute(statement)
        meta = [("format", str(_PLAIN)), ("side", side.value), ("stamp", "")]
        db.executemany("INSERT INTO meta VALUES (?, ?)", meta)
    db.execute("COMMIT")


def failure(side: Side, path: Path, error: sqlite3.Error) -> StoreError:
    """An error of the file's, in words for the user."""
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        return StoreError(
            f"{path} is not a local org, nor any SQLite file: name another `path` for"
            f" [{side}], or move the file away to start with an empty org"
        )
    if "unable to open" in str(error):
        return StoreError(
            f"{path} cannot be opened: see that its folder is there and may be written to"
        )
    if "locked" in str(error):
        return StoreError(
            f"{path} has been in use by another process for {_PATIENCE:.0f} seconds:"
            " let that finish, then try again"
        )
    return StoreError(f"{path} cannot be used ({error}): restore it, or load a new one")
