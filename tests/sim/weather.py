"""A store that has the vendors' semantics and faults: a local org with weather over it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import Any

from dsl.schema import ObjectType
from engine.ledger import Ledger
from engine.model import Cursor, Outcome, Page, RecordId, Result, Row, Value, Write
from engine.ports import StoreError, Unreachable
from engine.stores.local import LocalOrg
from tests.sim.book import Book
from tests.sim.sky import LAG, Sky, Spot, shown

__all__ = ["Commits", "Weather"]


class Weather:
    """Delegates each call to a local org or a store over HTTP, unless something comes between.

    `fetch` and `find` see a record at once, a scan up to `LAG` late.
    """

    lag = LAG

    def __init__(
        self, org: Any, sky: Sky, book: Book, ledger: Ledger, behind: LocalOrg | None = None
    ) -> None:
        self.org = org
        self._behind = behind
        self.side = org.side
        self.page_size = org.page_size
        self.write_size = org.write_size
        self.sweeps = getattr(org, "sweeps", False)
        self._sky = sky
        self._book = book
        self._ledger = ledger

    @property
    def calls(self) -> int:
        return self.org.calls

    def now(self) -> str:
        self._sky.before_call(f"now {self.side}")
        return self.org.now()

    def describe(self, type_name: str) -> ObjectType | None:
        return self.org.describe(type_name)

    def close(self) -> None:
        self.org.close()

    # -- reading --------------------------------------------------------------------------------

    def scan(self, type_name: str, fields: Sequence[str], since: Cursor | None) -> Iterator[Page]:
        sky, what = self._sky, f"scan {self.side} {type_name}"
        pages = self.org.scan(type_name, fields, since)
        if since is None:
            sky.began.pop((self.side, type_name), None)
        while True:
            sky.before_call(what)
            page = next(pages)
            rows = [row for row in page.rows if not sky.hidden(self._spot(type_name, row[0]))]
            if rows and sky.happens(sky.temper.doubled):
                rows.insert(sky.rng.randrange(len(rows) + 1), sky.rng.choice(rows))
            ids = [row[0] for row in rows]
            sky.note(f"{what} since {since and since.stamp}: {ids} gone {sorted(page.gone)}")
            self._saw(type_name, rows)
            if since is None:
                sky.began.setdefault((self.side, type_name), sky.tick)
            sky.boundary(f"after {what}")
            yield page._replace(rows=rows)
            if page.done:
                return

    def fetch(self, type_name: str, fields: Sequence[str], ids: Sequence[RecordId]) -> list[Row]:
        what = f"fetch {self.side} {type_name}"
        self._sky.before_call(what)
        rows = self.org.fetch(type_name, fields, ids)
        self._told(what, type_name, rows)
        return rows

    def fates(self, type_name: str, ids: Sequence[RecordId]) -> dict[RecordId, RecordId | None]:
        what = f"fates {self.side} {type_name}"
        self._sky.before_call(what)
        found = self.org.fates(type_name, ids)
        self._sky.note(f"{what}: {sorted(found, key=str)}")
        self._sky.boundary(f"after {what}")
        return found

    def find(
        self,
        type_name: str,
        fields: Sequence[str],
        key: Sequence[str],
        values: Sequence[tuple[Value, ...]],
    ) -> list[Row]:
        what = f"find {self.side} {type_name} by {','.join(key)}"
        self._sky.before_call(what)
        rows = self.org.find(type_name, fields, key, values)
        self._told(what, type_name, rows, self._linked(type_name, rows))
        return rows

    def _linked(self, type_name: str, rows: list[Row]) -> Container[RecordId]:
        """Those that are found only to be passed over: what is decided on them rests on no find."""
        pair = self._book.land.sync_of(self.side, type_name).name
        return self._ledger.others(pair, self.side, [row[0] for row in rows])

    def _told(
        self, what: str, type_name: str, rows: list[Row], passed: Container[RecordId] = ()
    ) -> None:
        self._sky.note(f"{what}: {sorted((row[0] for row in rows), key=str)}")
        self._saw(type_name, [row for row in rows if row[0] not in passed])
        self._sky.boundary(f"after {what}")

    def _saw(self, type_name: str, rows: list[Row]) -> None:
        for row in rows:
            self._sky.saw(self._spot(type_name, row[0]))

    def _spot(self, type_name: str, record: RecordId) -> Spot:
        return self.side, type_name, record

    # -- writing --------------------------------------------------------------------------------

    def write(self, type_name: str, writes: Sequence[Write]) -> list[Result]:
        sky, what = self._sky, f"write {self.side} {type_name}"
        sky.before_call(what)
        done = len(writes)
        cut = sky.happens(sky.temper.unanswered)
        if cut:
            done = sky.rng.randint(1, done)
        results = [self._one(type_name, write) for write in writes[:done]]
        if cut:
            sky.note(f"UNANSWERED {what}: {done} of {len(writes)} carried out")
            raise Unreachable("the answer never came")
        sky.boundary(f"after {what}")
        return results

    def _one(self, type_name: str, write: Write) -> Result:
        sky = self._sky
        if sky.happens(sky.temper.locked):
            sky.note(f"LOCKED {self.side} {type_name} {write.id}")
            return Result(Outcome.TRANSIENT, None, "UNABLE_TO_LOCK_ROW", "the row is locked")
        self._book.engine_tries(self.side, type_name, write)
        before = self._stamps(type_name)
        try:
            (result,) = self.org.write(type_name, [write])
        except StoreError:
            self._done_unheard(type_name, write, before)
            raise
        if result.outcome is Outcome.UNKNOWN:
            self._done_unheard(type_name, write, before)
        act = "delete" if write.delete else "create" if write.id is None else "update"
        told = result.id if result.outcome is Outcome.DONE else result.code
        sky.note(f"{act} {self.side} {type_name} {write.id or ''} {shown(write.values)}: {told}")
        if result.outcome is Outcome.DONE and result.id is not None:
            there = replace(write, id=result.id) if result.met else write
            self._wrote(type_name, result.id, there)
        return result

    def _wrote(self, type_name: str, record: RecordId, write: Write) -> None:
        sky, spot = self._sky, self._spot(type_name, record)
        self._book.engine_wrote(spot, write, sky.tick, sky.read.get(spot, -1))
        sky.wrote(spot)
        sky.unread.add(spot)

    def _stamps(self, type_name: str) -> dict[RecordId, str]:
        """When each record behind a server last changed."""
        pages = self._behind.scan(type_name, [], None) if self._behind else ()
        return {row[0]: row[1] for page in pages for row in page.rows}

    def _done_unheard(self, type_name: str, write: Write, before: dict[RecordId, str]) -> None:
        """Note what a server has done whose answer never came."""
        for record, stamp in self._stamps(type_name).items():
            if before.get(record) != stamp and not write.delete:
                self._sky.note(f"UNHEARD {self.side} {type_name} {record} was written")
                self._wrote(type_name, record, write)


class Commits:
    """A ledger at whose commits the process may be gone, before or after."""

    def __init__(self, ledger: Any, sky: Sky) -> None:
        self._ledger = ledger
        self._sky = sky

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)
        if name not in ("begin", "intend", "commit", "finish"):
            return method

        def call(*args: Any) -> Any:
            self._sky.boundary(f"before {name}")
            found = method(*args)
            self._sky.boundary(f"after {name}")
            return found

        return call
