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

_FILLED = 200  # records that one writing call of Salesforce takes
_SECONDS = 19  # Salesforce stamps to the second, so a horizon is cut to it as well


class Observed(NamedTuple):
    """A page, and the cursor that the ledger keeps once the page's records are dealt with.

    `since` is where the scan began; None for the first of a pair's side.
    """

    page: Page
    cursor: tuple[str, Side, Cursor, str]
    since: Cursor | None


def observe(mapping: Mapping, side: Side, store: Store, ledger: Ledger) -> Iterator[Observed]:
    """The records of `side` that changed since the pair's last scan, in pages.

    A finished scan leaves the cursor at the server's time when it began, less the time for which a
    record may stay invisible; what is read twice is dropped, since it equals its base.
    """
    horizon = store.now()[:_SECONDS] + ".000Z"
    saved = ledger.cursor(mapping.name, side)
    since = None
    if saved is not None:
        place, earlier = saved
        since = min(place, _behind(store, side, earlier), key=lambda c: (c.stamp, str(c.id)))
    pages = store.scan(mapping.type_name(side), mapping.columns[side], since)
    for page in _filled(pages, min(store.page_size, _FILLED)):
        cursor = _behind(store, side, horizon) if page.done else page.last
        yield Observed(_once(page), (mapping.name, side, cursor, horizon), since)


def _filled(pages: Iterator[Page], size: int) -> Iterator[Page]:
    """Pages of so many records at least, put together from smaller ones, as mailings come in.

    A page of its own for each hundred would have each written in half a call.
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


def _joined(first: Page, second: Page) -> Page:
    return second._replace(rows=first.rows + second.rows, gone=first.gone + second.gone)


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
    page, (pair, side, _, horizon), since = observed
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
        yield Observed(part, observed.cursor if last else (pair, side, place, horizon), since)
