"""What an earlier run left unanswered: found again before anything new is sent."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

import msgspec

from dsl.schema import Side
from dsl.values import canonical_name, instant, stamp
from engine.compile import unheard
from engine.context import Context
from engine.ledger import Commit, Intent, Link, LogRow
from engine.mapping import UNSET, LineCode, Mapping
from engine.model import SIDES, Action, Cursor, Direction, RecordId, Row
from engine.ports import Store

__all__ = ["recover"]

_SECONDS = 19  # Salesforce stamps to the second
_TIMEOUT = timedelta(minutes=2)  # for which a call may still be under way once it was given up
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
        commit.answers.append(_unknown(intent))
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


def _unknown(intent: Intent) -> tuple[int, str, str | None, int | None, str | None]:
    number = intent.id or 0
    return number, "unknown", intent.salesforce_id, intent.outreach_id, "the run was cut off"


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
    made = _made_since(mapping, target, min(at for _, at in intents), context)
    lines = {
        intent.layout: _todays_lines(mapping, context.ledger.layout_lines(intent.layout))
        for intent, _ in intents
    }
    linked = context.ledger.others(mapping.name, direction.source, _sources(intents, direction))
    visible = _visible(context.stores[target])
    for intent, at in intents:
        source = intent.salesforce_id if direction is Direction.INBOUND else intent.outreach_id
        wanted = _wanted(mapping, target, intent, lines[intent.layout])
        row = None if source in linked else _take(mapping, target, wanted, made)
        if row is None:
            if source in linked or at < visible:
                commit.answers.append(_unknown(intent))
            else:
                context.unheard.setdefault((mapping.name, direction), set()).add(source)
            continue
        if source is None:  # only a list knew the person: there is nothing to link
            made_id = int(row[0]) if target is Side.OUTREACH else None
            commit.answers.append((intent.id or 0, "done", None, made_id, None))
            continue
        ids: dict[Side, Any] = {direction.source: source, target: row[0]}
        blank = _encode([UNSET] * len(mapping.keys))
        link = Link(ids[Side.SALESFORCE], ids[Side.OUTREACH], layout, blank, blank)
        link = _with_bases(link, mapping, target, row, wanted[0])
        commit.links.append((mapping.name, link))
        commit.answers.append((intent.id or 0, "done", link.salesforce_id, link.outreach_id, None))
        commit.logs.append(
            LogRow(
                "adopted",
                "created by a run that was cut off before it heard so",
                mapping.type_name(Side.OUTREACH),
                link.outreach_id,
                mapping.type_name(Side.SALESFORCE),
                link.salesforce_id,
            )
        )


def _with_bases(
    link: Link, mapping: Mapping, side: Side, row: Row, by_line: dict[int, Any]
) -> Link:
    """A link as what we wrote to `side`, and is still there, leaves it: no edit of anybody's."""
    bases = {at: _decode(link.base(at)) for at in SIDES}
    seen = mapping.view[side](row)
    for line, value in by_line.items():
        if _held(mapping, side, line, row) == value:
            bases[side][line], bases[side.other][line] = seen[line], unheard(value)
    return link._replace(
        salesforce_base=_encode(bases[Side.SALESFORCE]),
        outreach_base=_encode(bases[Side.OUTREACH]),
    )


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
        after = _with_bases(before, mapping, target, row, by_line)
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
    wait = store.lag + _TIMEOUT if store.lag else store.lag
    moment = instant(store.now())
    return stamp(moment - wait) if moment is not None and wait else _END


def _sources(intents: list[tuple[Intent, str]], direction: Direction) -> list[RecordId]:
    ids = [i.salesforce_id if direction is Direction.INBOUND else i.outreach_id for i, _ in intents]
    return [i for i in ids if i is not None]


def _made_since(mapping: Mapping, side: Side, at: str, context: Context) -> list[Row]:
    """Records of `side` without a link that were made since, by that side's own time."""
    since = f"{at[:_SECONDS]}.000Z"
    store, type_name = context.stores[side], mapping.type_name(side)
    created = "CreatedDate" if side is Side.SALESFORCE else "createdAt"
    known = created in mapping.pair.type(side).fields
    rows: dict[RecordId, Row] = {}
    for page in store.scan(type_name, mapping.columns[side], Cursor(since, _first_id(side))):
        ids = [row[0] for row in page.rows]
        linked = context.ledger.others(mapping.name, side, ids)
        new = set(ids)
        if known and ids:
            found = store.fetch(type_name, [created], ids)
            new = {row[0] for row in found if _is_since(row[2], since)}
        rows |= {row[0]: row for row in page.rows if row[0] not in linked and row[0] in new}
    return list(rows.values())


def _first_id(side: Side) -> RecordId:
    return "" if side is Side.SALESFORCE else 0


def _is_since(made: Any, since: str) -> bool:
    moment = instant(made)
    return moment is None or stamp(moment) >= since


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


def _take(
    mapping: Mapping,
    side: Side,
    wanted: tuple[dict[int, Any], dict[str, Any]],
    rows: list[Row],
) -> Row | None:
    """The record that holds all that a create wanted, and no other key; it leaves the list."""
    by_line, by_field = wanted
    keys = {
        (left if side is Side.SALESFORCE else right).path
        for rule in mapping.pair.matches
        for left, right in rule.keys
    }
    for row in rows:
        same = all(_held(mapping, side, line, row) == value for line, value in by_line.items())
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


def _held(mapping: Mapping, side: Side, line: int, row: Row) -> Any:
    code = mapping.lines[line]
    return code.forms[side](row[code.slots[side]])
