"""What must hold when edits and faults have stopped, said without the engine's own words."""

from __future__ import annotations

import re
from ast import literal_eval
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from engine.ledger import Ledger, schema
from engine.model import SIDES, RecordId, Side, Value
from engine.stores.local import LocalOrg
from tests.sim.book import Book, plain
from tests.sim.lands import Land, Line, Sync
from tests.sim.sky import Spot

__all__ = ["amiss"]

_UNHEARD = schema.change.c.state == "unknown"
_CONFLICT = re.compile(
    r"(?P<field>\S+) and \S+ were both changed: Salesforce has (?P<left>.*), Outreach has"
    r" (?P<right>.*); (?P<winner>\w+) (won|wins, but nothing was written .*)"
)

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741


@dataclass
class _Truth:
    """The orgs as they are, and what the ledger tells of a sync."""

    sync: Sync
    rows: dict[Side, dict[RecordId, dict[str, Value]]]
    links: dict[RecordId, RecordId]
    stones: dict[Side, set[RecordId]]
    waiting: dict[Side, set[RecordId]]
    overruled: list[str] = field(default_factory=list)

    def linked(self, side: Side) -> set[RecordId]:
        return set(self.links) if side is S else set(self.links.values())


def amiss(
    land: Land,
    orgs: dict[Side, LocalOrg],
    ledger: Ledger,
    book: Book,
    began: dict[tuple[Side, str], int],
) -> list[str]:
    """All that is not as it must be, in words; `began` is when a type was read from its start."""
    found = list(book.wrongs)
    truths = {sync.name: _truth(sync, orgs, ledger) for sync in land.syncs}
    for sync in land.syncs:
        truth = truths[sync.name]
        found += _doubles(sync, truth, book)
        found += _alone(sync, truth)
        found += _sham_conflicts(truth, ledger, book)
        for pair in truth.links.items():
            found += _pair(truth, pair, book, began)
            found += _guessed(truth, pair, book)
            if sync.reference is not None:
                found += _reference(sync.reference, truth, truths[sync.refers], pair)
    if ledger.unanswered():
        found.append(f"writes without an answer: {ledger.unanswered()}")
    return found


def _truth(sync: Sync, orgs: dict[Side, LocalOrg], ledger: Ledger) -> _Truth:
    rows = {}
    for side, type_name in sync.types.items():
        names = [line.names[side] for line in sync.all_lines()]
        if sync.reference is not None:
            names.append(sync.reference.names[side])
        pages = orgs[side].scan(type_name, names, None)
        rows[side] = {
            row[0]: dict(zip(names, map(plain, row[2:]), strict=True))
            for page in pages
            for row in page.rows
        }
    links = _rows(ledger, schema.link, sync.name)
    stones = _rows(ledger, schema.tombstone, sync.name)
    waiting = _rows(ledger, schema.pending, sync.name)
    return _Truth(
        sync,
        rows,
        {row["salesforce_id"]: row["outreach_id"] for row in links},
        {side: {row[f"{side}_id"] for row in stones} for side in SIDES},
        {
            side: {
                row["record_id"] if side is S else int(row["record_id"])
                for row in waiting
                if row["side"] == side and row["why"] in ("refused", "review")
            }
            for side in SIDES
        },
        _overruled(ledger, sync),
    )


def _rows(
    ledger: Ledger, table: sa.Table, pair: str, *where: sa.ColumnElement[bool]
) -> list[dict[str, Any]]:
    return list(ledger.rows(sa.select(table).where(table.c.pair == pair, *where)))


def _overruled(ledger: Ledger, sync: Sync) -> list[str]:
    """What the log tells of values that gave way, or the history of a run that was cut off."""
    log = ledger.rows(sa.select(schema.log.c.message).where(schema.log.c.status == "conflict"))
    told = [row["message"] for row in log]
    for row in _rows(ledger, schema.change, sync.name, _UNHEARD):
        told += [repr(before) for _, before, _ in msgspec.json.decode(row["fields"])]
    return told


def _sham_conflicts(truth: _Truth, ledger: Ledger, book: Book) -> list[str]:
    """Edits that gave way to what no user gave the other side, or to what they came after."""
    sync, found = truth.sync, []
    log = ledger.rows(
        sa.select(schema.log).where(
            schema.log.c.status == "conflict", schema.log.c.external_type == sync.types[S]
        )
    )
    for row in log:
        told = _CONFLICT.fullmatch(row["message"])
        assert told is not None, row["message"]
        line = next((n for n in sync.all_lines() if told["field"] in n.names.values()), None)
        if line is None:  # a reference, whose value is another id on each side
            continue
        values = {S: plain(literal_eval(told["left"])), O: plain(literal_eval(told["right"]))}
        spots: dict[Side, Spot] = {
            S: (S, sync.types[S], row["external_id"]),
            O: (O, sync.types[O], int(row["internal_id"])),
        }
        won = Side(told["winner"].lower())
        found += _sham(line, spots, values, won, book)
    return found


def _sham(
    line: Line,
    spots: dict[Side, Spot],
    values: dict[Side, Value],
    won: Side,
    book: Book,
) -> list[str]:
    """What is wrong with one conflict: each value must be an edit that the other had not seen."""
    given = {s: {e.value for e in book.edits[spots[s], line.names[s]]} for s in SIDES}
    found = [
        f"{value!r} of {spots[side]} {line.names[side]} was in a conflict with what it came from"
        for side, value in values.items()
        if value is not None and value not in given[side] and value in given[side.other]
    ]
    here = spots[won.other], line.names[won.other]
    # `test_known.py` says what comes of an edit before an unheard write was found.
    edits = [e.tick for e in book.edits[here] if e.value == values[won.other] and not e.early]
    came = [w.tick for w in book.written[here] if w.value == values[won] is not None]
    if edits and came and min(came) < min(edits):
        found.append(f"{here} was edited with {values[won]!r} in sight, which won")
    return found


def _guessed(truth: _Truth, pair: tuple[RecordId, RecordId], book: Book) -> list[str]:
    """Whether nothing says that two linked records belong together: neither birth nor key."""
    sync, spots = truth.sync, {s: _spot(truth, s, {S: pair[0], O: pair[1]}) for s in SIDES}
    for side, spot in spots.items():
        marker = book.by_engine.get(spot)
        if marker is not None and marker == book.by_user.get(spots[side.other]):
            return []
    keys = [
        {
            str(v.value).casefold()
            for book_of in (book.edits, book.written)
            for v in book_of.get((spot, sync.key.names[side]), ())
            if v.value is not None
        }
        for side, spot in spots.items()
    ]
    return [] if keys[0] & keys[1] else [f"{pair} are linked, and nothing says why"]


def _doubles(sync: Sync, truth: _Truth, book: Book) -> list[str]:
    """No record has two counterparts, and none is made for one that has one already."""
    found = []
    for side in SIDES:
        spots_of = (side, sync.types[side])
        spots = [s for s in book.by_engine if s[:2] == spots_of]
        living = [s for s in spots if s[2] in truth.rows[side]]
        made = Counter(book.by_engine[spot] for spot in living)
        found += [
            f"{marker} was created {n} times in {side}" for marker, n in made.items() if n > 1
        ]
        known = truth.linked(side) | truth.stones[side] | truth.waiting[side]
        markers = {**book.by_user, **book.by_engine}
        stones = truth.stones[side] - truth.rows[side].keys()
        ended = {markers[s] for s in markers if s[:2] == spots_of and s[2] in stones}
        found += [f"{m} was made again in {side}" for m in made if m in ended and m is not None]
        found += [f"{spot} was made and forgotten" for spot in living if spot[2] not in known]
    return found


def _alone(sync: Sync, truth: _Truth) -> list[str]:
    """Each record that may be created on the other side is linked, or seen to wait."""
    found = []
    for side in SIDES:
        if side.other not in sync.creates:
            continue
        known = truth.linked(side) | truth.stones[side] | truth.waiting[side]
        lost = sorted(truth.rows[side].keys() - known, key=str)
        found += [f"{side} {record} has no counterpart and does not wait" for record in lost]
    return found


def _pair(
    truth: _Truth, pair: tuple[RecordId, RecordId], book: Book, began: dict[tuple[Side, str], int]
) -> list[str]:
    ids = dict(zip(SIDES, pair, strict=True))
    gone = [side for side in SIDES if ids[side] not in truth.rows[side]]
    if gone:
        watched = {side.other for side in truth.sync.updates}
        return [
            f"{pair} is linked, and gone in {side}"
            for side in gone
            if side in watched and not _gone_early(_spot(truth, side, ids), book, began)
        ]
    if any(ids[side] in truth.waiting[side] or ids[side] in truth.stones[side] for side in SIDES):
        return []
    found = []
    for line in truth.sync.all_lines():
        values = {side: truth.rows[side][ids[side]][line.names[side]] for side in SIDES}
        flows = [s for s in SIDES if s in line.sources and s.other in truth.sync.updates]
        if len(flows) == len(SIDES) and values[S] != values[O] and not _kept(line, values):
            found.append(f"{pair} disagree on {line.names[S]}: {values}")
        found += [
            f"{pair} went back in {line.names[side]}: {values}"
            for side in flows
            if len(flows) == len(SIDES)
            and book.outdated(_spot(truth, side, ids), line.names[side], values[side])
            # Unless that was the last word of the users over there, by chance.
            and not book.meant(_spot(truth, side.other, ids), line.names[side.other], values[side])
        ]
        for side in flows:
            found += _delivered(truth, line, side, ids, values, book)
    return found


def _gone_early(spot: Spot, book: Book, began: dict[tuple[Side, str], int]) -> bool:
    """Whether a record was deleted before a first scan, which tells of no deletions.

    `test_known.py` says what comes of it.
    """
    return book.deleted.get(spot, 0) < began.get(spot[:2], 0)


def _kept(line: Line, values: dict[Side, Value]) -> bool:
    return line.kept and None in values.values()


def _delivered(
    truth: _Truth,
    line: Line,
    side: Side,
    ids: dict[Side, RecordId],
    values: dict[Side, Value],
    book: Book,
) -> list[str]:
    """Whether a side's last edit of a field has come to the other side, or was overruled aloud."""
    here, there = (_spot(truth, s, ids) for s in (side, side.other))
    edit = book.last(here, line.names[side])
    if edit is None or edit.value is None:
        return []
    if (
        values[side.other] == edit.value
        or book.reached(there, line.names[side.other], edit.value)
        or any(e.value == edit.value for e in book.edits[there, line.names[side.other]])
        or any(repr(edit.value) in told for told in truth.overruled)
        or book.overrun(here, line.names[side], edit)
        or _forbidden(truth.sync, line, side.other, there, book)
    ):
        return []
    return [f"the edit {edit.value!r} of {here} {line.names[side]} is lost: {values}"]


def _forbidden(sync: Sync, line: Line, side: Side, spot: Spot, book: Book) -> bool:
    """Whether the field was edited on a side that wins it, but may tell it to nobody."""
    one_way = side not in line.sources or side.other in sync.updates
    return not one_way and book.last(spot, line.names[side]) is not None


def _spot(truth: _Truth, side: Side, ids: dict[Side, RecordId]) -> Spot:
    return side, truth.sync.types[side], ids[side]


def _reference(
    line: Line, truth: _Truth, target: _Truth, pair: tuple[RecordId, RecordId]
) -> list[str]:
    """A reference stands for the same record on both sides, once that record is linked."""
    ids = dict(zip(SIDES, pair, strict=True))
    if any(
        ids[side] not in truth.rows[side] or ids[side] in truth.waiting[side] | truth.stones[side]
        for side in SIDES
    ):
        return []
    values = {side: truth.rows[side][ids[side]][line.names[side]] for side in SIDES}
    if any(
        value is not None and value not in target.linked(side) for side, value in values.items()
    ):
        return []
    left = target.links.get(values[S]) if values[S] is not None else None
    if left == values[O]:
        return []
    return [f"{pair} disagree on {line.names[S]}: {values}"]
