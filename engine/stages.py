"""The stages that a stage map names: made in Outreach, with colours, where they are missing."""

from __future__ import annotations

import msgspec

from dsl.program import MapEntry, Translation
from dsl.schema import Side
from dsl.values import stamp
from engine.budgeted import room_for, spent_there
from engine.case import Change, FieldChange
from engine.context import Context
from engine.ledger import Commit, Intent, LogRow
from engine.model import NO_CALLS, Action, Direction, Outcome, Value, Write

__all__ = ["ensure_stages"]

_TYPE = "stage"


def ensure_stages(via: Translation, context: Context) -> None:
    """Create what is missing; names compare verbatim, since the map does.

    A stage is found by its name before it is made, so a crash in between makes no second one.
    """
    store = context.stores[Side.OUTREACH]
    known = context.names[Side.OUTREACH, _TYPE]
    wanted = {str(e.right): e for e in via.entries if e.arrow != "<-"}
    rows = store.find(_TYPE, ["name"], ["name"], [(name,) for name in wanted])
    known.update({row[2]: row[0] for row in rows})
    changes = [
        (_creation(via, entry), Write(None, _values(entry)))
        for name, entry in wanted.items()
        if name not in known
    ]
    room, spent = room_for(store, len(changes), read_back=False)
    if spent is not None:
        context.waits.note(spent)
    if not (changes := changes[:room]):
        return
    at = stamp(context.clock.now())
    numbers = context.ledger.intend(context.run, at, [_intent(c) for c, _ in changes])
    results = store.write(_TYPE, [write for _, write in changes])
    commit = Commit()
    for (change, write), number, result in zip(changes, numbers, results, strict=True):
        if result.outcome is Outcome.DONE:
            known[str(write.values["name"])] = result.id or 0
            commit.answers.append((number, "done", None, int(result.id or 0), None))
            context.tally.add(change._replace(outreach_id=int(result.id or 0)))
        elif result.code == NO_CALLS:
            context.waits.note(spent_there(store, result.message))
            commit.answers.append((number, "refused", None, None, result.message))
        else:
            error = f"{result.code}: {result.message}"
            context.tally.counts["failed"] += 1
            # One without an answer is found by its name in the next run, as any other.
            state = "unknown" if result.outcome is Outcome.UNKNOWN else "refused"
            commit.answers.append((number, state, None, None, error))
            commit.logs.append(LogRow("create refused", error, _TYPE))
    context.ledger.commit(context.run, at, context.digest, commit)


def _values(entry: MapEntry) -> dict[str, Value]:
    return {"name": entry.right} | ({"color": entry.color} if entry.color else {})


def _creation(via: Translation, entry: MapEntry) -> Change:
    """The decision to make a stage, in the shape of all others."""
    return Change(
        Action.CREATE,
        Direction.INBOUND,
        {Side.OUTREACH: _TYPE},
        None,
        None,
        f"`{via.name}` maps to a stage that Outreach does not have",
        entry.span.place,
        tuple(FieldChange(0, via.name, k, None, v, v) for k, v in _values(entry).items()),
    )


def _intent(change: Change) -> Intent:
    return Intent(
        pair=_TYPE,
        layout=0,
        action=change.action,
        direction=change.direction,
        salesforce_id=None,
        outreach_id=None,
        fields=msgspec.json.encode([(f.target, None, f.value) for f in change.fields]),
        reason=change.reason,
        rule=change.rule,
    )
