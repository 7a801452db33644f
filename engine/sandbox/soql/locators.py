"""Query locators: an answer of many records, handed out page by page for two days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dsl.ids import full_id
from engine.sandbox.soql.answers import Answer
from engine.sandbox.soql.errors import SoqlError

__all__ = ["BATCH", "LARGEST", "SMALLEST", "Locators", "batch_size"]

#: Records in a page, unless `Sforce-Query-Options: batchSize=…` asks for others; and its bounds.
BATCH = 2_000
SMALLEST, LARGEST = 200, 2_000
_LIFE = timedelta(days=2)
_MOST = 100  # open answers; the oldest gives way, as cursors do at the vendor
_MOST_OF_CHILDREN = 10_000  # likewise, of children of records
#: Children of one record in a page, whatever is asked for.
_CHILDREN = 200


def batch_size(options: str | None) -> int:
    """What a `Sforce-Query-Options` header asks for; it is a wish, kept within the bounds."""
    for part in (options or "").split(","):
        name, _, number = part.partition("=")
        if name.strip().lower() == "batchsize" and number.strip().isdigit():
            return max(SMALLEST, min(LARGEST, int(number)))
    return BATCH


class Locators:
    """The answers that have more pages to come. One for each server.

    `now` is the org's clock. Children of a record are an answer too, if they are many.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._open: dict[str, tuple[datetime, Answer]] = {}
        self._children: dict[str, tuple[datetime, Answer]] = {}
        self._number = 0

    def first(self, answer: Answer, base: str, size: int = BATCH) -> dict[str, Any]:
        """The first page as `{totalSize, done, nextRecordsUrl?, records}`.

        `base` is the folder of the next ones' addresses, `/services/data/v60.0/query`.
        """
        locator = ""
        if answer.size > size:
            locator = self._keep(self._open, answer, _MOST)
        return self._page(answer, locator, 0, base, size)

    def _keep(self, known: dict[str, tuple[datetime, Answer]], answer: Answer, most: int) -> str:
        self._number += 1
        locator = full_id(f"01gCw0{self._number:09}")
        known[locator] = self._now(), answer
        while len(known) > most:
            del known[next(iter(known))]
        return locator

    def more(self, text: str, base: str, size: int = BATCH) -> dict[str, Any]:
        """The page that a locator names (`01g…-2000`). Raises `SoqlError`."""
        locator, _, position = text.partition("-")
        among = self._children if locator in self._children else self._open
        opened, answer = among.get(locator, (None, None))
        known = answer is not None and opened is not None and self._now() - opened < _LIFE
        good = position.isdigit() and len(position) < 10
        if not known or answer is None or not good or int(position) >= answer.size:
            raise SoqlError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(answer, locator, int(position), base, size)

    def _page(
        self, answer: Answer, locator: str, start: int, base: str, size: int
    ) -> dict[str, Any]:
        stop = start + size
        page: dict[str, Any] = {"totalSize": answer.total, "done": stop >= answer.size}
        if not page["done"]:
            page["nextRecordsUrl"] = f"{base}/{locator}-{stop}"
        page["records"] = answer.records(start, stop)
        for record in page["records"] if answer.nested else ():
            self._cut_children(record, base)
        return page

    def _cut_children(self, record: dict[str, Any], base: str) -> None:
        """Leave the first children of a record in its page, and keep the others for the next."""
        for name, value in record.items():
            if not isinstance(value, dict) or "records" not in value:
                continue
            kept = value["records"]
            if len(kept) > _CHILDREN:
                answer = Answer(len(kept), len(kept), partial(_part, kept))
                locator = self._keep(self._children, answer, _MOST_OF_CHILDREN)
                record[name] = self._page(answer, locator, 0, base, _CHILDREN)
            for child in kept:
                self._cut_children(child, base)


def _part(rows: list[dict[str, Any]], start: int, stop: int) -> list[dict[str, Any]]:
    return rows[start:stop]
