"""What a scan's overlap reads again: a record that has not changed since is not decided on twice.

Scans go back by the time for which a vendor may keep a new record invisible. A linked record that
comes again equals its base. One that was refused, held or left alone has none to equal, so what it
held is kept for as long as it may come again; else a refused write would be sent again each cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from dsl.schema import Side
from dsl.values import stamp
from engine.context import Task
from engine.ledger import Commit, Ledger
from engine.mapping import Mapping
from engine.model import Cursor, Row
from engine.ports import Store

__all__ = ["remember", "without_repeats"]

_encode = msgspec.json.Encoder().encode
_BYTES = 12


def without_repeats(mapping: Mapping, side: Side, rows: Sequence[Row], ledger: Ledger) -> list[Row]:
    """The rows less those that were decided on lately just as they are."""
    known = ledger.lately(mapping.name, side, [row[0] for row in rows])
    if not known:
        return list(rows)
    return [row for row in rows if known.get(row[0]) != _digest(mapping, row)]


def remember(
    mapping: Mapping,
    side: Side,
    store: Store,
    tasks: Iterable[Task],
    cursor: tuple[str, Side, Cursor, str],
    commit: Commit,
) -> None:
    """Keep what the records held that the next scan may read again, and that have no new base."""
    if not store.lag:
        return
    begin = stamp(datetime.fromisoformat(cursor[3]).astimezone(UTC) - store.lag)
    done = {link.id(side) for pair, link in commit.links if pair == mapping.name}
    for task in tasks:
        row = task.case.rows.get(side)
        # A type without stamps is read whole each time.
        if row is not None and (row[1] or cursor[3]) >= begin and row[0] not in done:
            digest = _digest(mapping, row)
            commit.lately.append((mapping.name, side, row[0], row[1] or cursor[3], digest))


def _digest(mapping: Mapping, row: Row) -> bytes:
    """All that a row says, and of which fields: other rules may ask for others."""
    return blake2b(_encode((mapping.keys, row)), digest_size=_BYTES).digest()
