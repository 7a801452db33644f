"""Links that a person makes by hand, also of a record that is linked already, and their undo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dsl.program import Pair
from dsl.schema import Side
from engine.case import Change
from engine.chosen import Partner
from engine.context import Context, Task
from engine.ledger import Commit, Intent, Link, Pending
from engine.ledger.looking import written_by
from engine.mapping import Mapping
from engine.matching import Matches
from engine.model import Action, Direction

__all__ = ["Moved", "link_by_hand", "move_back", "moved_by", "note_move", "take_partner"]

_BY_HAND = "linked by hand"

#: A link that came by hand, with the one that ended for it, as rows of `schema.change`.
Moved = tuple[dict[str, Any], dict[str, Any]]


def take_partner(mapping: Mapping, side: Side, context: Context, found: Matches) -> None:
    """A person's word on who belongs to whom goes before what the keys find."""
    named = _named(mapping, side, context)
    if named is None:
        return
    columns, store = mapping.columns[side.other], context.stores[side.other]
    for row in store.fetch(mapping.type_name(side.other), columns, [named.other]):
        found.partners[named.record] = row
        found.held.pop(named.record, None)
        found.later.discard(named.record)


def link_by_hand(mapping: Mapping, side: Side, context: Context, task: Task) -> None:
    """Say of a task that a person brought its two records together, and what ends for that."""
    named = _named(mapping, side, context)
    if named is None or task.case.id(side) != named.record:
        return
    changes = task.verdict.changes
    changes[0] = changes[0]._replace(reason=_BY_HAND)
    links = context.ledger.links(mapping.name, side.other, [named.other])
    task.moved = links.get(named.other)
    if task.moved is not None:
        there = f"{mapping.type_name(side)} {named.record}"
        goes = f"its {mapping.type_name(side.other)} {named.other} is linked by hand to {there}"
        ended = changes[0]._replace(
            action=Action.UNLINK,
            salesforce_id=task.moved.salesforce_id,
            outreach_id=task.moved.outreach_id,
            reason=goes,
        )
        changes.insert(0, ended)


def _named(mapping: Mapping, side: Side, context: Context) -> Partner | None:
    named = context.partner
    return named if named and (named.pair, named.side) == (mapping.name, side) else None


def note_move(
    mapping: Mapping, layout: int, task: Task, changes: list[Change], commit: Commit
) -> None:
    """Let the old link end with the commit that makes the new one; who lost it is looked at anew.

    Both are kept among what the run did, so that the log tells it and an undo can turn it back.
    """
    if task.moved is None:
        return
    side = changes[0].direction.source
    commit.unlinks.append((mapping.name, task.moved.salesforce_id, side))
    by_hand = [c for c in changes if c.action in (Action.UNLINK, Action.LINK)]
    commit.noted += [_noted(mapping.name, layout, change) for change in by_hand]
    lost, kept = task.moved.id(side), task.case.id(side)
    commit.pending.append(_anew(mapping.name, side, lost, kept))


def _noted(pair: str, layout: int, change: Change) -> Intent:
    ids = change.salesforce_id, change.outreach_id
    reason, rule = change.reason, change.rule
    return Intent(pair, layout, change.action, change.direction, *ids, b"[]", reason, rule)


def _anew(pair: str, side: Side, lost: Any, kept: Any) -> Pending:
    """A record that lost its link by hand, to be decided on as one that never had any."""
    message = "a link of its was moved by hand: it is decided on anew"
    return Pending(pair, side, lost, "reference", pair, str(kept), message)


# -- undo ---------------------------------------------------------------------------------------


def moved_by(context: Context, run: str) -> Iterator[Moved]:
    """The links that a run moved by hand, the last one first."""
    rows = [r for r in context.ledger.rows(written_by(run)) if r["action"] in ("link", "unlink")]
    ends = {row["id"]: row for row in rows if row["action"] == Action.UNLINK}
    for row in reversed(rows):
        if row["action"] == Action.LINK and row["id"] - 1 in ends:
            yield row, ends[row["id"] - 1]


def move_back(pair: Pair, moved: Moved, context: Context, reason: str) -> str | None:
    """Bring a link back to where it was, in a commit of its own; or say why that cannot be."""
    now, before = moved
    name, ledger = pair.name, context.ledger
    ids = before["salesforce_id"], before["outreach_id"]
    stones = ledger.tombstones(name, Side.SALESFORCE, [ids[0]]).get(ids[0], [])
    old = next((s.link for s in stones if s.link.outreach_id == ids[1]), None)
    current = ledger.links(name, Side.SALESFORCE, [now["salesforce_id"]])
    link = current.get(now["salesforce_id"])
    if link is None or link.outreach_id != now["outreach_id"]:
        return "was linked elsewhere since"
    side = Direction(now["direction"]).source
    if old is None or ledger.others(name, side, [old.id(side)]):
        return f"had {_said(pair, side, ids)} before, which is linked elsewhere, or long forgotten"
    commit = Commit(unlinks=[(name, link.salesforce_id, side)], links=[(name, old)])
    commit.revived.append((name, *ids))
    commit.answers += [
        (row["id"], "undone", row["salesforce_id"], row["outreach_id"], None) for row in moved
    ]
    commit.seen.append((name, side, old.id(side)))
    # The one has none again, and what the other was edited to meanwhile nobody has looked at.
    commit.pending.append(_anew(name, side, link.id(side), old.id(side)))
    commit.pending.append(_anew(name, side, old.id(side), old.id(side)))
    for action, each in ((Action.UNLINK, link), (Action.LINK, old)):
        change = _change(pair, action, Direction(now["direction"]), each, reason)
        commit.noted.append(_noted(name, each.layout, change))
        context.tally.add(change)
    ledger.commit(context.run, context.started, context.digest, commit)
    return None


def _change(pair: Pair, action: Action, direction: Direction, link: Link, reason: str) -> Change:
    types = {side: pair.type(side).name for side in Side}
    ids = link.salesforce_id, link.outreach_id
    return Change(action, direction, types, *ids, reason, pair.span.place)


def _said(pair: Pair, side: Side, ids: tuple[str, int]) -> str:
    return f"{pair.type(side).name} {ids[0] if side is Side.SALESFORCE else ids[1]}"
