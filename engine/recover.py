"""What an earlier run left unanswered: found again before anything new is sent."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from dsl.schema import Side
from dsl.values import stamp
from engine.act import Context
from engine.ledger import Commit, Intent, Link, LogRow
from engine.mapping import UNSET, Mapping
from engine.model import Action, Cursor, Direction, RecordId, Row

__all__ = ["recover"]

_SKEW = timedelta(minutes=10)  # how far the other side's clock may be from ours
_encode = msgspec.json.encode


def recover(mappings: dict[str, Mapping], layouts: dict[str, int], context: Context) -> int:
    """Look for the records of creates whose answer never came, and link those that are there.

    What is not there was not made: its source record has not been passed by the cursor, so this run
    decides on it again. Updates are decided again in the same way. Returns how many were open.
    """
    open_intents = context.ledger.unanswered()
    if not open_intents:
        return 0
    commit = Commit()
    by_target: dict[tuple[str, Direction], list[tuple[Intent, str]]] = defaultdict(list)
    for intent, at in open_intents:
        known = mappings.get(intent.pair)
        same_lines = known is not None and layouts[intent.pair] == intent.layout
        if intent.action == Action.CREATE and same_lines:
            by_target[intent.pair, Direction(intent.direction)].append((intent, at))
        else:
            commit.answers.append(_unknown(intent))
    for (pair, direction), intents in by_target.items():
        _adopt(mappings[pair], layouts[pair], direction, intents, context, commit)
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
    linked = context.ledger.others(mapping.name, direction.source, _sources(intents, direction))
    blank = _encode([UNSET] * len(mapping.keys))
    for intent, _ in intents:
        source = intent.salesforce_id if direction is Direction.INBOUND else intent.outreach_id
        row = None if source in linked else _take(mapping, target, intent, made)
        if row is None:
            commit.answers.append(_unknown(intent))
            continue
        ids: dict[Side, Any] = {direction.source: source, target: row[0]}
        link = Link(ids[Side.SALESFORCE], ids[Side.OUTREACH], layout, blank, blank)
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


def _sources(intents: list[tuple[Intent, str]], direction: Direction) -> list[RecordId]:
    ids = [i.salesforce_id if direction is Direction.INBOUND else i.outreach_id for i, _ in intents]
    return [i for i in ids if i is not None]


def _made_since(mapping: Mapping, side: Side, at: str, context: Context) -> list[Row]:
    """Records of `side` without a link that were written since, by either clock."""
    since = stamp(datetime.fromisoformat(at).astimezone(UTC) - _SKEW)
    cursor = Cursor(since, "" if side is Side.SALESFORCE else 0)
    rows: list[Row] = []
    store = context.stores[side]
    for page in store.scan(mapping.type_name(side), mapping.columns[side], cursor):
        ids = [row[0] for row in page.rows]
        linked = context.ledger.others(mapping.name, side, ids)
        rows += [row for row in page.rows if row[0] not in linked]
    return rows


def _take(mapping: Mapping, side: Side, intent: Intent, rows: list[Row]) -> Row | None:
    """The record that holds all that the intent wanted written; it is taken off the list."""
    wanted = []
    for number, _, value in msgspec.json.decode(intent.fields):
        code = mapping.lines[number]
        if not code.line.once and not code.ends[side].by_name:
            wanted.append((number, _form(mapping, side, number, value)))
    for row in rows:
        if wanted and all(_held(mapping, side, number, row) == value for number, value in wanted):
            rows.remove(row)
            return row
    return None


def _held(mapping: Mapping, side: Side, number: int, row: Row) -> Any:
    column = mapping.lines[number].ends[side].column or ""
    return _form(mapping, side, number, row[mapping.slot(side, column)])


def _form(mapping: Mapping, side: Side, number: int, value: Any) -> Any:
    return mapping.canonical(side, number)(value)
