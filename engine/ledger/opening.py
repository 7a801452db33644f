"""Opening a ledger: its file, the format that it is in, and what is said if it cannot be used."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from engine.ledger.records import LedgerError

__all__ = ["connect", "explained", "migrate"]

_REVISION = "0012"
_BUSY_SECONDS = 5.0
_BIG = 20_000_000  # bytes: from here on a change of the format takes long enough to be told of
_LOG = logging.getLogger("crosswalk.ledger")
MEMORY = ":memory:"


def migrate(connection: sqlite3.Connection, engine: sa.Engine, path: Path) -> None:
    """Bring a ledger into today's format. Raises `LedgerError` if it is a newer one, or none."""
    found = _revision(connection)
    if found == _REVISION:
        return
    if found is not None and found > _REVISION:
        raise LedgerError(
            f"the ledger {path} was written by a newer version of crosswalk"
            f" (its format is {found}, this version knows up to {_REVISION}):"
            " install that version, or name another ledger in crosswalk.toml"
        )
    if found is None and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise LedgerError(
            f"{path} is a database, but not a ledger of crosswalk:"
            " name another file as `ledger` in crosswalk.toml"
        )
    if str(path) == MEMORY:
        connection.deserialize(_blank())
        return
    size = path.stat().st_size
    if size > _BIG:
        _LOG.warning(
            "the ledger %s (%d MB) is brought into the format of this version, which may take"
            " minutes; if it is interrupted, it stays as it was",
            path,
            size // 1_000_000,
        )
    _upgrade(engine, connection)


@cache
def _blank() -> bytes:
    """An empty ledger in today's format: those in memory come by the hundred, one for each test."""
    with closing(sqlite3.connect(MEMORY, isolation_level=None)) as connection:
        engine = sa.create_engine(
            "sqlite://",
            creator=lambda: connection,
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
        )
        _upgrade(engine, connection)
        return connection.serialize()


def _upgrade(engine: sa.Engine, connection: sqlite3.Connection) -> None:
    """All steps to today's format, in one transaction."""
    from alembic import command  # noqa: PLC0415 - costs 0.2 s, needed once in a ledger's life
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connected:
        config.attributes["connection"] = connected
        connection.execute("BEGIN IMMEDIATE")
        if _revision(connection) != _REVISION:  # or another program has just done it
            command.upgrade(config, "head")
        connection.execute("COMMIT")


def connect(path: Path) -> sqlite3.Connection:
    """A connection that loses nothing with the power. Raises `LedgerError`."""
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error as error:
        connection.close()
        raise explained(error, path) from error
    return connection


def _revision(connection: sqlite3.Connection) -> str | None:
    if not connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def explained(error: BaseException | None, path: Path) -> LedgerError:
    """What the database says, in a sentence for the user."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return LedgerError(
            f"the ledger {path} is locked by another program: wait until it is done, then try again"
        )
    if "not a database" in text or "malformed" in text:
        return LedgerError(
            f"{path} is not a ledger of crosswalk (it is no SQLite database, or it is damaged):"
            " name another file as `ledger` in crosswalk.toml, or put back a copy"
        )
    if "unable to open" in text:
        return LedgerError(f"the ledger {path} cannot be opened: is the folder there and writable?")
    return LedgerError(f"the ledger {path} cannot be used: {text}")
