"""Reading on: a side's changed records page by page, from where the last cycle stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from dsl.schema import Side
from dsl.values import stamp
from engine.ledger import Ledger
from engine.mapping import Mapping
from engine.model import Cursor, Page
from engine.ports import Store, StoreError

__all__ = ["Observed", "observe"]

_SECONDS = 19  # Salesforce stamps to the second, so a horizon is cut to it as well


class Observed(NamedTuple):
    """A page, and the cursor that the ledger keeps once the page's records are dealt with.

    `since` is where the scan began; None for the first of a pair's side. What is stamped before
    `overlap` may have been read by the last scan as well.
    """

    page: Page
    cursor: tuple[str, Side, Cursor, str]
    since: Cursor | None
    overlap: str = ""


def observe(
    mapping: Mapping, side: Side, store: Store, ledger: Ledger, fill: int = 1
) -> Iterator[Observed]:
    """The records of `side` that changed since the pair's last scan, in pages of `fill` or more.

    A finished scan leaves the cursor at the server's time when it began, less the time for which a
    record may stay invisible; what is read twice is dropped, since it equals its base.
    """
    horizon = store.now()[:_SECONDS] + ".000Z"
    saved = ledger.cursor(mapping.name, side)
    since, earlier = None, ""
    if saved is not None:
        place, earlier = saved
        since = min(place, _behind(store, side, earlier), key=lambda c: (c.stamp, str(c.id)))
    pages = store.scan(mapping.type_name(side), mapping.columns[side], since)
    for page in _filled(pages, fill):
        cursor = _behind(store, side, horizon) if page.done else page.last
        yield Observed(_once(page), (mapping.name, side, cursor, horizon), since, earlier)


def _filled(pages: Iterator[Page], size: int) -> Iterator[Page]:
    """Pages put together, where a vendor gives fewer records a call than the other side takes.

    What was read before a store fails is not lost.
    """
    held: Page | None = None
    try:
        for page in pages:
            held = page if held is None else _joined(held, page)
            if held.done or len(held.rows) >= size:
                yield held
                held = None
    except StoreError:
        if held is not None:
            yield held
        raise
    if held is not None:
        yield held


def _joined(one: Page, two: Page) -> Page:
    return two._replace(rows=one.rows + two.rows, gone=one.gone + two.gone)


def _once(page: Page) -> Page:
    """A page with each record once: paging by cursor may show one again that just moved."""
    latest = {row[0]: row for row in page.rows}
    return page if len(latest) == len(page.rows) else page._replace(rows=list(latest.values()))


def _behind(store: Store, side: Side, horizon: str) -> Cursor:
    """The cursor from which everything is read that may have become visible since `horizon`."""
    moment = datetime.fromisoformat(horizon).astimezone(UTC) - store.lag
    return Cursor(stamp(moment), "" if side is Side.SALESFORCE else 0)


def portions(observed: Observed, size: int) -> Iterator[Observed]:
    """A page in parts of so many records, each with the cursor behind it.

    So a budget that has no calls for the whole page gets through it all the same.
    """
    page, (pair, side, _, horizon), since, _ = observed
    stamps = [row[1] for row in page.rows]
    if len(stamps) <= size or stamps != sorted(stamps):
        yield observed
        return
    for start in range(0, len(stamps), size):
        rows = page.rows[start : start + size]
        last = start + size >= len(stamps)
        gone = [] if start else page.gone
        place = Cursor(rows[-1][1], rows[-1][0])
        part = page._replace(rows=rows, gone=gone, done=page.done and last)
        cursor = observed.cursor if last else (pair, side, place, horizon)
        yield Observed(part, cursor, since, observed.overlap)
