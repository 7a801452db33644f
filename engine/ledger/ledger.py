"""The ledger: one file that knows what is linked, what was agreed, and what is under way."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from dsl.ids import full_id
from dsl.values import stamp
from engine.ledger import hot, pruning, schema, words
from engine.ledger.callbook import CallBook
from engine.ledger.opening import connect, explained, migrate
from engine.ledger.records import Commit, Intent, Link, Tombstone
from engine.ledger.swinging import Swings
from engine.ledger.turns import Turns
from engine.ledger.waits import Waits
from engine.model import Cursor, RecordId, Side

__all__ = ["Ledger"]

#: For how long a deleted record may come back: Salesforce keeps it in its recycle bin for 15 days
#: (Salesforce Help, "Recycle Bin").
_RECYCLE_BIN = timedelta(days=15)
_SHORT = 15  # characters of a Salesforce id without its checksum
_Found = TypeVar("_Found")


class Ledger:
    """An open ledger.

    Each public method that writes is one transaction. Raises `LedgerError` with a sentence for the
    user when the file is no ledger, is from a newer version of the program, or is locked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        self._engine = sa.create_engine(
            "sqlite://",
            creator=lambda: self._connection,
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
        )
        self._layouts: dict[int, tuple[str, ...]] = {}
        try:
            migrate(self._connection, self._engine, path)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise explained(error, path) from error

    @property
    def calls(self) -> CallBook:
        """How many calls each side was sent, and what waits for calls."""
        return CallBook(self._driver)

    @property
    def turns(self) -> Turns:
        """Which linked records are looked at next, where scans do not tell of deletes."""
        return Turns(self._driver)

    @property
    def waits(self) -> Waits:
        """What is to be looked at again, and which deletions are held."""
        return Waits(self._driver)

    @property
    def swings(self) -> Swings:
        """What was written over fields of late, and which of them are paused."""
        return Swings(self._driver)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def scratch(self) -> Iterator[Ledger]:
        """A copy in a temporary file, for a plan to write to; it is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="crosswalk-plan-") as folder:
            path = Path(folder) / "ledger.db"
            with closing(sqlite3.connect(path)) as target:
                self._connection.backup(target)
            with closing(Ledger(path)) as copy:
                copy._connection.execute("PRAGMA synchronous=OFF")
                yield copy

    @contextmanager
    def _core(self) -> Iterator[sa.Connection]:
        """SQLAlchemy's view of the connection, its errors told as ours."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise explained(error.orig, self.path) from error

    @contextmanager
    def _driver(self) -> Iterator[sqlite3.Connection]:
        """The driver's connection for the hot path, its errors told as ours."""
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise explained(error, self.path) from error

    # -- links ----------------------------------------------------------------------------------

    def links(self, pair: str, side: Side, ids: Sequence[RecordId]) -> dict[RecordId, Link]:
        """The links of these records, by their id on `side`."""
        with self._driver() as connection:
            return _by_given(ids, lambda full: hot.links_by_id(connection, pair, side, full))

    def others(self, pair: str, side: Side, ids: Sequence[RecordId]) -> dict[RecordId, RecordId]:
        """What these records of `side` are linked to."""
        with self._driver() as connection:
            return _by_given(ids, lambda full: hot.other_ids(connection, pair, side, full))

    def all_links(self, pair: str) -> Iterator[Link]:
        """Every link of a pair, one after another."""
        with self._driver() as connection:
            yield from hot.all_links(connection, pair)

    def link_count(self, pair: str) -> int:
        """How many records of a pair are linked."""
        t = schema.link
        query = sa.select(sa.func.count()).select_from(t).where(t.c.pair == pair)
        with self._core() as connection:
            return int(connection.execute(query).scalar_one())

    def tombstones(
        self, pair: str, side: Side, ids: Sequence[RecordId]
    ) -> dict[RecordId, list[Tombstone]]:
        """The links that these records had until one of their two sides was gone, newest first."""
        column = "salesforce_id" if side is Side.SALESFORCE else "outreach_id"
        with self._driver() as connection:
            rows = connection.execute(
                "SELECT t.salesforce_id, t.outreach_id, t.layout, t.salesforce_base,"
                " t.outreach_base, t.side, t.at FROM json_each(?) AS j CROSS JOIN tombstone AS t"
                f" ON t.pair = ? AND t.{column} = j.value ORDER BY t.at DESC",
                (json.dumps(list(ids)), pair),
            ).fetchall()
        found: dict[RecordId, list[Tombstone]] = {}
        for *link, gone, at in rows:
            stone = Tombstone(Link(*link), Side(gone), at)
            found.setdefault(stone.link.id(side), []).append(stone)
        return found

    def has_deleted(self, pair: str, link: Link) -> bool:
        """Whether one of these two records was deleted by us, after the other one."""
        return self._has_done("delete", pair, link)

    def has_moved(self, pair: str, link: Link) -> bool:
        """Whether a person has ended this link, so that it does not come back by itself."""
        return self._has_done("unlink", pair, link)

    def _has_done(self, action: str, pair: str, link: Link) -> bool:
        t = schema.change
        query = sa.select(t.c.id).where(
            t.c.pair == pair,
            t.c.action == action,
            t.c.state == "done",
            t.c.salesforce_id == link.salesforce_id,
            t.c.outreach_id == link.outreach_id,
        )
        with self._core() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def layout(self, pair: str, lines: Sequence[str]) -> int:
        """The number of a layout, which is made if it is new."""
        text = json.dumps(list(lines))
        t = schema.layout
        with self._core() as connection:
            query = sa.select(t.c.id).where(t.c.pair == pair, t.c.lines == text)
            found = connection.execute(query).scalar()
            if found is None:
                done = connection.execute(sa.insert(t).values(pair=pair, lines=text))
                (found,) = done.inserted_primary_key or (None,)
        return int(found or 0)

    def layout_lines(self, layout: int) -> tuple[str, ...]:
        """The line keys that the positions of a base of this layout stand for."""
        if layout not in self._layouts:
            t = schema.layout
            with self._core() as connection:
                text = connection.execute(sa.select(t.c.lines).where(t.c.id == layout)).scalar_one()
            self._layouts[layout] = tuple(json.loads(text))
        return self._layouts[layout]

    # -- reading on -----------------------------------------------------------------------------

    def cursor(self, pair: str, side: Side) -> tuple[Cursor, str] | None:
        """Up to where a side was read, and the server's time when that scan began."""
        t = schema.cursor
        query = sa.select(t.c.stamp, t.c.id, t.c.horizon).where(t.c.pair == pair, t.c.side == side)
        with self._core() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        record: RecordId = row.id if side is Side.SALESFORCE else int(row.id or 0)
        return Cursor(row.stamp, record), row.horizon

    def lately(self, pair: str, side: Side, ids: Sequence[RecordId]) -> dict[RecordId, bytes]:
        """What those of these records held that were read lately and have no base."""
        with self._driver() as connection:
            rows = connection.execute(
                "SELECT j.value, l.digest FROM json_each(?) AS j CROSS JOIN lately AS l"
                " ON l.pair = ? AND l.side = ? AND l.record_id = CAST(j.value AS TEXT)",
                (msgspec.json.encode(ids).decode(), pair, side),
            )
            return dict(rows)

    # -- writing --------------------------------------------------------------------------------

    def begin(self, run: str, at: str, digest: str) -> None:
        """Note that a run begins."""
        row = {"id": run, "started_at": at, "status": "running", "rules_digest": digest}
        with self._core() as connection:
            connection.execute(sa.insert(schema.run).values(**row))

    def finish(
        self, run: str, at: str, status: str, counts: dict[str, int], calls: dict[str, int]
    ) -> None:
        """Note how a run ended, and what it wrote and noted among the words of the log."""
        with self._driver() as connection, hot.transaction(connection):
            connection.execute(
                "UPDATE run SET finished_at = ?, status = ?, counts = ?, calls = ? WHERE id = ?",
                (at, status, json.dumps(counts), json.dumps(calls), run),
            )
            words.learn(connection)

    def knows_rules(self, digest: str) -> bool:
        """Whether the rules with this digest are kept."""
        t = schema.rules
        with self._core() as connection:
            return bool(connection.execute(sa.select(1).where(t.c.digest == digest)).first())

    def keep_rules(self, digest: str, facts: str) -> None:
        """Keep what rules say when they first run."""
        with self._core() as connection:
            connection.execute(sa.insert(schema.rules).values(digest=digest, facts=facts))

    def drop_log(self, before: str, limit: int) -> int:
        """Drop the oldest rows of the log before a stamp, at most `limit`; how many those were."""
        old = "id IN (SELECT id FROM log WHERE timestamp < ? ORDER BY timestamp LIMIT ?)"
        with self._driver() as connection, hot.transaction(connection):
            return words.delete(connection, "log", old, before, limit)

    def note_applied(self, plan: str, run: str, at: str) -> None:
        """Note that a saved plan is being carried out, before its first write."""
        row = {"plan": plan, "run": run, "at": at}
        with self._core() as connection:
            connection.execute(sa.insert(schema.applied_plan).values(**row))

    def applied(self, plan: str) -> tuple[str, str] | None:
        """By which run, and when, a saved plan was carried out."""
        t = schema.applied_plan
        with self._core() as connection:
            row = connection.execute(sa.select(t.c.run, t.c.at).where(t.c.plan == plan)).first()
        return None if row is None else (row.run, row.at)

    def sealed_tokens(self, name: str) -> bytes | None:
        """What was kept last of a side's authorisation, or by another name; sealed."""
        t = schema.token
        with self._core() as connection:
            found = connection.execute(sa.select(t.c.sealed).where(t.c.side == name)).scalar()
        return None if found is None else bytes(found)

    def keep_tokens(self, name: str, sealed: bytes, at: str) -> None:
        """Keep a side's authorisation, or another sealed text, in place of what was kept before."""
        with self._driver() as connection, hot.transaction(connection):
            connection.execute(
                "INSERT OR REPLACE INTO token (side, sealed, kept_at) VALUES (?, ?, ?)",
                (name, sealed, at),
            )

    def alerted(self) -> frozenset[str]:
        """The troubles that somebody was told of and that last."""
        with self._core() as connection:
            return frozenset(connection.execute(sa.select(schema.alert.c.trouble)).scalars())

    def note_alerts(self, new: Sequence[str], over: Sequence[str], at: str) -> None:
        """Note which troubles are told of now, and which are over."""
        with self._driver() as connection, hot.transaction(connection):
            connection.executemany("DELETE FROM alert WHERE trouble = ?", [(t,) for t in over])
            connection.executemany(
                "INSERT OR IGNORE INTO alert VALUES (?, ?)", [(t, at) for t in new]
            )

    def intend(self, run: str, at: str, intents: Sequence[Intent]) -> list[int]:
        """Commit writes before they are sent; the numbers by which their answers are noted."""
        if not intents:
            return []
        with self._driver() as connection:
            return hot.insert_intents(connection, run, at, intents)

    def commit(self, run: str, at: str, digest: str, commit: Commit) -> None:
        """Commit one batch."""
        with self._driver() as connection:
            hot.write_commit(connection, run, at, digest, commit)

    def unanswered(self) -> list[tuple[Intent, str]]:
        """Writes that were sent, or about to be, when a run was cut off; each with its time."""
        t = schema.change
        query = sa.select(t).where(t.c.state == "sending").order_by(t.c.id)
        with self._core() as connection:
            rows = connection.execute(query).mappings().all()
        return [(Intent(**{n: row[n] for n in Intent._fields}), row["at"]) for row in rows]

    def plans_known_since(self) -> str:
        """From when on it is known which saved plans were carried out; empty if from the start."""
        found = self.applied("")
        return "" if found is None else found[1]

    def prune(self, now: datetime, older_than: timedelta, *, dry: bool = False) -> pruning.Pruned:
        """Forget what ended longer ago, and shrink the file; a dry one only counts."""
        buried = stamp(now - max(older_than, _RECYCLE_BIN))
        with self._driver() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                pruned = pruning.forget_old(connection, stamp(now - older_than), buried)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("ROLLBACK" if dry else "COMMIT")
            if not dry:
                pruning.shrink(connection)
        return pruned

    def size(self) -> int:
        """How many bytes the ledger takes on disk, what is not yet in its file included."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    # -- looking --------------------------------------------------------------------------------

    def rows(self, query: sa.Select[Any]) -> Iterator[dict[str, Any]]:
        """The rows of an ordinary query over the tables of `schema`, one after another."""
        with self._core() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query).mappings():
                yield dict(row)


def _by_given(
    ids: Sequence[RecordId], find: Callable[[Sequence[RecordId]], dict[RecordId, _Found]]
) -> dict[RecordId, _Found]:
    """What is found for ids of 15 or 18 characters, by each id as it was given."""
    if not any(isinstance(i, str) and len(i) == _SHORT for i in ids):
        return find(ids)
    full = {i: full_id(i) if isinstance(i, str) else i for i in ids}
    found = find(list(full.values()))
    return {i: found[at] for i, at in full.items() if at in found}
