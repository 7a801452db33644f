"""Creates that go by an external id: upserts, so that one that is sent twice makes one record.

An upsert may meet a record that nobody had seen. It is then linked and merged as it stands, and
counts as updated: it was not made by us, so that an undo leaves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dsl.schema import Side
from engine.case import Change, Verdict
from engine.context import Context, Task
from engine.ledger import Commit, Ledger, Link, Pending, about
from engine.mapping import Mapping
from engine.model import Action, Direction, Outcome, RecordId, Result, Row, Value
from engine.ours import with_bases

__all__ = [
    "as_upserts",
    "given_back",
    "held_of",
    "key_among",
    "meet",
    "met_words",
    "names_of",
    "owners_of_met",
    "written",
]

S, O = Side.SALESFORCE, Side.OUTREACH  # noqa: E741


# -- before they are sent -----------------------------------------------------------------------


def names_of(mapping: Mapping, context: Context) -> tuple[str, ...]:
    """The Salesforce fields on which creates of a pair are upserts: external ids, as the org says.

    The org is asked once a run, and only where a `match` line names such a field alone.
    """
    if not mapping.identifying:
        return ()
    if mapping.name not in context.external_ids:
        described = context.stores[S].describe(mapping.type_name(S))
        fields = described.fields if described else {}
        context.external_ids[mapping.name] = tuple(
            name
            for name in mapping.identifying
            if name in fields and fields[name].external_id and fields[name].createable
        )
    return context.external_ids[mapping.name]


def as_upserts(mapping: Mapping, tasks: Iterable[Task], context: Context) -> None:
    """Let those creates among the verdicts that give a record an external id go by it."""
    for task in tasks:
        changes = task.verdict.changes
        for at, change in enumerate(changes):
            if change.action is Action.CREATE and change.direction is Direction.OUTBOUND:
                ends = (mapping.lines[f.line].ends[S].name for f in change.fields)
                values = dict(zip(ends, (f.value for f in change.fields), strict=True))
                if key := key_among(names_of(mapping, context), values):
                    reason = f"{change.reason}; upsert by {key}"
                    changes[at] = change._replace(upsert=key, reason=reason)


def key_among(names: Sequence[str], values: dict[Any, Value]) -> str:
    """The first of these fields that has a value by which a record can be found."""
    for name in names:
        value = values.get(name)
        text = isinstance(value, str) and bool(value.strip())
        if text or (isinstance(value, int | float) and not isinstance(value, bool)):
            return name
    return ""


# -- what they met ------------------------------------------------------------------------------


def owners_of_met(
    mapping: Mapping, sent: Sequence[tuple[Change, Result]], ledger: Ledger
) -> dict[RecordId, RecordId]:
    """Whose the records are that upserts met: an Outreach record's id by that of the one met.

    One that belonged to nobody goes to the first that met it.
    """
    met = [(result.id, change.outreach_id) for change, result in sent if result.met]
    owners: dict[Any, Any] = {
        result.id: change.outreach_id
        for change, result in sent
        if change.action is Action.CREATE and result.outcome is Outcome.DONE and not result.met
    }
    owners |= ledger.others(mapping.name, S, [record for record, _ in met if record is not None])
    for record, outreach_id in met:
        owners.setdefault(record, outreach_id)
    return {record: owners[record] for record, _ in met if record is not None}


def meet(mapping: Mapping, task: Task, change: Change, record: Any, row: Row | None) -> None:
    """Make of a create's verdict what came of it: a record that was there, linked and updated.

    All that was not written is decided on anew, as if the two had just met.
    """
    there = change._replace(salesforce_id=record, upsert="")
    linked = there._replace(action=Action.LINK, fields=())
    task.verdict = Verdict([linked, there._replace(action=Action.UPDATE)], [], task.verdict.waits)
    if row is not None:
        task.case.rows[S], task.case.views[S] = row, mapping.view[S](row)


def held_of(mapping: Mapping, task: Task, change: Change, record: Any, owner: Any) -> None:
    """Hold a record whose upsert met one that belongs to another."""
    reason = (
        f"its {change.upsert} belongs to {mapping.type_name(S)} {record}, which is already linked"
        f" to {mapping.type_name(O)} {owner}; what was sent went over it"
    )
    held = change._replace(action=Action.HOLD, reason=reason, fields=(), upsert="")
    task.verdict, task.held = Verdict([held]), about(mapping.name, (record, owner))


def written(mapping: Mapping, change: Change) -> dict[int, Any]:
    """What a change writes to Salesforce, by line, in canonical form."""
    return {f.line: mapping.lines[f.line].forms[S](f.value) for f in change.fields}


def given_back(
    mapping: Mapping,
    layout: int,
    link: Link,
    row: Row,
    key: str,
    by_line: dict[int, Any],
    commit: Commit,
) -> None:
    """Let what an upsert wrote over another's linked record not count as an edit of that one.

    So it is not carried over to the other side, whose own values are told again by the next run.
    The external id itself it had before.
    """
    by_line = {n: v for n, v in by_line.items() if mapping.lines[n].ends[S].name != key}
    if link.layout == layout:
        commit.links.append((mapping.name, with_bases(link, mapping, S, row, by_line)))
    words = f"what was sent for another record went over {mapping.type_name(S)} {row[0]}"
    commit.pending.append(Pending(mapping.name, O, link.outreach_id, "transient", message=words))


def met_words(mapping: Mapping, change: Change, record: Any) -> str:
    """What is to be said of an upsert that met a record which nobody had seen."""
    name = f"{mapping.type_name(S)} {record}"
    return f"{name} had this {change.upsert} already, unseen until now: what was sent went over it"
