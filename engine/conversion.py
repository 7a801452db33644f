"""Lead conversion: the prospect's link moves from the lead to the contact that it became."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from dsl.program import Program
from dsl.schema import Side
from engine.case import Change, Verdict
from engine.columns import LEAD
from engine.context import Task
from engine.ledger import Ledger, Link, about
from engine.lives import look_again
from engine.mapping import UNSET, Mapping
from engine.model import Action, Direction

__all__ = ["Heir", "decide_conversions", "heir_of"]

_CONTACT = "Contact"


class Heir(NamedTuple):
    """The sync whose links go on where those of converted leads end."""

    mapping: Mapping
    layout: int


def heir_of(program: Program, mapping: Mapping) -> str | None:
    """The name of the sync that takes over the prospects of a sync's converted leads."""
    if mapping.pair.salesforce.name != LEAD:
        return None
    outreach = mapping.pair.outreach.name
    return next(
        (
            pair.name
            for pair in program.pairs
            if pair.salesforce.name == _CONTACT and pair.outreach.name == outreach
        ),
        None,
    )


def decide_conversions(
    mapping: Mapping, heir: Heir | None, tasks: Sequence[Task], ledger: Ledger
) -> None:
    """Decide on linked leads that were converted: one after another, since two may meet in one.

    The contact and the prospect have no base yet, and meet as any two records do.
    """
    contacts = {id(task): _contact(mapping, task) for task in tasks}
    known = [contact for contact in contacts.values() if contact is not None]
    theirs: dict[Any, Any] = {}
    mine: dict[Any, Any] = {}
    if heir is not None:
        prospects = [task.case.id(Side.OUTREACH) for task in tasks]
        theirs = ledger.others(heir.mapping.name, Side.SALESFORCE, known)
        mine = ledger.others(heir.mapping.name, Side.OUTREACH, prospects)
    for task in tasks:
        contact, prospect = contacts[id(task)], task.case.id(Side.OUTREACH)
        if heir is None or contact is None:
            task.verdict = Verdict([_ends(task, contact)])
        elif theirs.get(contact, prospect) != prospect or mine.get(prospect, contact) != contact:
            clash = (theirs.get(contact), mine.get(prospect))
            task.verdict = Verdict([_hold(task, contact, *clash)])
            task.held = about(heir.mapping.name, [contact, *clash])
        elif contact in theirs:
            task.verdict = Verdict([_ends(task, contact)])
        else:
            theirs[contact], mine[prospect] = prospect, contact
            _move(task, contact, heir)


def _contact(mapping: Mapping, task: Task) -> str | None:
    row = task.case.rows[Side.SALESFORCE]
    return None if mapping.conversion is None else row[mapping.conversion[1]]


def _converted(task: Task, contact: str | None) -> str:
    lead = f"Lead {task.case.id(Side.SALESFORCE)} was converted"
    return f"{lead} to Contact {contact}" if contact is not None else lead


def _ends(task: Task, contact: str | None) -> Change:
    return _change(task, Action.UNLINK, _converted(task, contact))


def _hold(task: Task, contact: str, theirs: Any, mine: Any) -> Change:
    outreach = task.case.mapping.pair.outreach.name
    why = f"which is linked to {outreach} {theirs} already"
    if theirs is None:
        why = f"while its {outreach} is linked to Contact {mine} already"
    reason = f"{_converted(task, contact)}, {why}: delete or merge one of the two"
    return _change(task, Action.HOLD, reason)


def _move(task: Task, contact: str, heir: Heir) -> None:
    """End the lead's link, and link the contact with nothing agreed yet."""
    name, prospect = heir.mapping.name, task.case.id(Side.OUTREACH)
    blank = msgspec.json.encode([UNSET] * len(heir.mapping.keys))
    reason = _converted(task, contact)
    place = heir.mapping.pair.span.place
    comes = Change(
        Action.LINK, Direction.INBOUND, heir.mapping.types, contact, prospect, reason, place
    )
    task.verdict = Verdict([_ends(task, contact), comes])
    task.heirs.append((name, Link(contact, prospect, heir.layout, blank, blank)))
    task.later.append(look_again(name, contact))


def _change(task: Task, action: Action, reason: str) -> Change:
    return task.case.change(action, Direction.INBOUND, reason, task.case.mapping.pair.span.place)
