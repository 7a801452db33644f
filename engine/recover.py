"""What an earlier run left unanswered: found again before anything new is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from dsl.schema import Side
from dsl.values import canonical_name, instant, stamp
from engine.context import Context
from engine.ledger import Commit, Intent, Link
from engine.lost import TIMEOUT, Lost, is_since, second_of, unknown, without_named
from engine.mapping import UNSET, LineCode, Mapping
from engine.model import SIDES, Action, Cursor, Direction, RecordId, Row
from engine.notes import log_row
from engine.ours import held, with_bases
from engine.ports import Store

__all__ = ["recover"]

_END = "9999"

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(list[Any]).decode


def recover(mappings: dict[str, Mapping], layouts: dict[str, int], context: Context) -> int:
    """Look for the records of creates whose answer never came, and link those that are there.

    What is not there when it must be visible was not made: its source record has not been passed by
    the cursor, so this run decides on it again. Until then nothing is sent for it. Updates are
    decided again in the same way, but what they wrote counts as ours, not as an edit. Returns how
    many were open.
    """
    open_intents = context.ledger.unanswered()
    if not open_intents:
        return 0
    commit = Commit()
    by_target: dict[tuple[str, Direction], list[tuple[Intent, str]]] = defaultdict(list)
    updates: dict[tuple[str, Direction], list[Intent]] = defaultdict(list)
    for intent, at in open_intents:
        key = (intent.pair, Direction(intent.direction))
        if intent.action == Action.CREATE and intent.pair in mappings:
            by_target[key].append((intent, at))
            continue
        commit.answers.append(unknown(intent))
        if intent.action == Action.UPDATE and intent.pair in mappings:
            updates[key].append(intent)
    for (pair, direction), intents in by_target.items():
        _adopt(mappings[pair], layouts[pair], direction, intents, context, commit)
    links: dict[tuple[str, str], Link] = {}
    for (pair, direction), sent in updates.items():
        _acknowledge(mappings[pair], layouts[pair], direction, sent, context, links)
    commit.links += [(pair, link) for (pair, _), link in links.items()]
    now = stamp(context.clock.now())
    context.ledger.commit(context.run, now, context.digest, commit)
    return len(open_intents)


def _adopt(
    mapping: Mapping,
    layout: int,
    direction: Direction,
    intents: list[tuple[Intent, str]],
    context: Context,
    commit: Commit,
) -> None:
    """Link what was made by creates of which only the intent is known."""
    target = direction.target
    lines = {
        intent.layout: _todays_lines(mapping, context.ledger.layout_lines(intent.layout))
        for intent, _ in intents
    }
    linked = context.ledger.others(mapping.name, direction.source, _sources(intents, direction))
    lost = [
        Lost(intent, at, *_wanted(mapping, target, intent, lines[intent.layout]))
        for intent, at in intents
    ]
    commit.answers += [unknown(each.intent) for each in lost if each.source in linked]
    lost = [each for each in lost if each.source not in linked]
    if direction is Direction.OUTBOUND:
        lost = without_named(mapping, layout, lost, context, commit)
    made = _made_since(mapping, target, lost, context, commit)
    visible = _visible(context.stores[target])
    for each in lost:
        row = _take(mapping, target, each, made)
        if row is None:
            if each.at < visible:
                commit.answers.append(unknown(each.intent))
            else:
                waits = context.unheard.setdefault((mapping.name, direction), set())
                waits.add(each.source)
            continue
        number = each.intent.id or 0
        if each.source is None:  # only a list knew the person: there is nothing to link
            made_id = int(row[0]) if target is Side.OUTREACH else None
            commit.answers.append((number, "done", None, made_id, None))
            continue
        link = each.link_to(mapping, layout, row[0])
        commit.links.append((mapping.name, with_bases(link, mapping, target, row, each.by_line)))
        commit.answers.append((number, "done", link.salesforce_id, link.outreach_id, None))
        words = "created by a run that was cut off before it heard so"
        ids: dict[Side, Any] = {side: link.id(side) for side in SIDES}
        commit.logs.append(log_row(mapping, "adopted", words, ids))


def _acknowledge(
    mapping: Mapping,
    layout: int,
    direction: Direction,
    intents: list[Intent],
    context: Context,
    links: dict[tuple[str, str], Link],
) -> None:
    """Add to `links` those of updates that went through, with what was written as the base."""
    target = direction.target
    ids = [i for i in (_target_id(intent, target) for intent in intents) if i is not None]
    known = _met(mapping, layout, target, intents, context)
    known |= context.ledger.links(mapping.name, target, ids)
    columns = mapping.columns[target]
    found = context.stores[target].fetch(mapping.type_name(target), columns, list(known))
    rows = {row[0]: row for row in found}
    for intent in intents:
        link = known.get(_target_id(intent, target) or "")
        if link is None or link.layout != layout or link.id(target) not in rows:
            continue
        row, key = rows[link.id(target)], (mapping.name, link.salesforce_id)
        lines = _todays_lines(mapping, context.ledger.layout_lines(intent.layout))
        by_line, _ = _wanted(mapping, target, intent, lines)
        before = links.get(key, link)
        after = with_bases(before, mapping, target, row, by_line)
        if after != before:
            links[key] = after


def _met(
    mapping: Mapping, layout: int, target: Side, intents: list[Intent], context: Context
) -> dict[RecordId, Link]:
    """The links, by the target's id, that two records were about to get that had just met.

    Neither is linked, and the two were not: else the update was no first one.
    """
    blank = _encode([UNSET] * len(mapping.keys))
    found = [
        Link(intent.salesforce_id, intent.outreach_id, layout, blank, blank)
        for intent in intents
        if intent.salesforce_id is not None and intent.outreach_id is not None
    ]
    for side in SIDES:
        known = context.ledger.others(mapping.name, side, [link.id(side) for link in found])
        found = [link for link in found if link.id(side) not in known]
    ids = [link.id(target) for link in found]
    stones = context.ledger.tombstones(mapping.name, target, ids)
    ended = {(s.link.salesforce_id, s.link.outreach_id) for each in stones.values() for s in each}
    return {
        link.id(target): link
        for link in found
        if (link.salesforce_id, link.outreach_id) not in ended
    }


def _target_id(intent: Intent, side: Side) -> RecordId | None:
    return intent.salesforce_id if side is Side.SALESFORCE else intent.outreach_id


def _visible(store: Store) -> str:
    """Creates sent before this stamp can be seen, if they went through."""
    wait = store.lag + TIMEOUT if store.lag else store.lag
    moment = instant(store.now())
    return stamp(moment - wait) if moment is not None and wait else _END


def _sources(intents: list[tuple[Intent, str]], direction: Direction) -> list[RecordId]:
    ids = [i.salesforce_id if direction is Direction.INBOUND else i.outreach_id for i, _ in intents]
    return [i for i in ids if i is not None]


def _made_since(
    mapping: Mapping, side: Side, lost: Sequence[Lost], context: Context, commit: Commit
) -> list[Row]:
    """Records of `side` without a link that were made since, by that side's own time."""
    if not lost:
        return []
    since = second_of(min(each.at for each in lost))
    taken = {link.id(side) for pair, link in commit.links if pair == mapping.name}
    store, type_name = context.stores[side], mapping.type_name(side)
    created = "CreatedDate" if side is Side.SALESFORCE else "createdAt"
    known = created in mapping.pair.type(side).fields
    rows: dict[RecordId, Row] = {}
    for page in store.scan(type_name, mapping.columns[side], Cursor(since, _first_id(side))):
        ids = [row[0] for row in page.rows]
        linked = taken | context.ledger.others(mapping.name, side, ids).keys()
        new = set(ids)
        if known and ids:
            found = store.fetch(type_name, [created], ids)
            new = {row[0] for row in found if is_since(row[2], since)}
        rows |= {row[0]: row for row in page.rows if row[0] not in linked and row[0] in new}
    return list(rows.values())


def _first_id(side: Side) -> RecordId:
    return "" if side is Side.SALESFORCE else 0


def _todays_lines(mapping: Mapping, keys: tuple[str, ...]) -> dict[int, int]:
    """Where the lines of an earlier layout stand today; rules may have changed since the crash."""
    today = {key: number for number, key in enumerate(mapping.keys)}
    return {number: today[key] for number, key in enumerate(keys) if key in today}


def _wanted(
    mapping: Mapping, side: Side, intent: Intent, lines: dict[int, int]
) -> tuple[dict[int, Any], dict[str, Any]]:
    """What a create wanted written: by line in canonical form, and by field for its match keys."""
    by_line: dict[int, Any] = {}
    by_field: dict[str, Any] = {}
    for number, _, value in msgspec.json.decode(intent.fields):
        line = lines.get(number)
        if line is None:
            continue
        code = mapping.lines[line]
        by_field[code.ends[side].name or ""] = canonical_name(value)
        if _is_known_by(mapping, code, side):
            by_line[line] = code.forms[side](value)
    return by_line, by_field


def _take(mapping: Mapping, side: Side, lost: Lost, rows: list[Row]) -> Row | None:
    """The record that holds all that a create wanted, and no other key; it leaves the list."""
    by_line, by_field = lost.by_line, lost.by_field
    keys = {
        (left if side is Side.SALESFORCE else right).path
        for rule in mapping.pair.matches
        for left, right in rule.keys
    }
    for row in rows:
        same = all(held(mapping, side, line, row) == value for line, value in by_line.items())
        keyed = all(
            canonical_name(row[mapping.slot(side, path)]) == by_field.get(path) for path in keys
        )
        if by_line and same and keyed:
            rows.remove(row)
            return row
    return None


def _is_known_by(mapping: Mapping, code: LineCode, side: Side) -> bool:
    """Whether a record that a create made can be known again by what a line wrote.

    Of an activity all lines are written once; only a long text may have been stored as another.
    """
    end = code.ends[side]
    if mapping.pair.label:
        return end.field is None or end.field.vendor_type != "textarea"
    return not code.line.once and not end.by_name
