"""The questions that people ask a ledger: what was done, what is linked, what waits."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.ledger.schema import budget, change, cursor, link, log, pending, rules, run
from engine.model import Action, Side

__all__ = [
    "ACTIONS",
    "Filters",
    "Query",
    "call_windows",
    "conflicts_lately",
    "cursors",
    "is_record",
    "kept_rules",
    "last_run",
    "last_scans",
    "link_counts",
    "linked",
    "noted_by",
    "outreach_type",
    "pending_counts",
    "run_named",
    "runs_with_rules",
    "salesforce_type",
    "waiting",
    "waiting_alike",
    "waiting_of",
    "written_by",
    "written_counts",
    "written_later",
    "written_status",
]

_BETWEEN = "<->"
_SHORT_ID = 15
_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DELETE: "deleted",
    Action.LINK: "linked",
    Action.UNLINK: "unlinked",
}
#: Of each status that a finished write has, its action.
ACTIONS: Mapping[str, str] = {status: action.value for action, status in _DONE.items()}
_ENDS = {"sending": "under way", "unknown": "unanswered"}
_WRITTEN = ("done", "met")

Query = sa.Select[Any]
_Text = sa.ColumnElement[str | None]


@dataclass(frozen=True)
class Filters:
    """What to look for; None lets everything through.

    `status` is a whole status or its last word (`refused` finds `create refused`), `type` a type of
    either side, `id` a record of either side, `run` a run's id or `last`, `since` the first stamp,
    `until` the one before which they end, `search` words of the message, `after` the place of the
    row below which they begin: its stamp, source and number.
    """

    status: str | None = None
    type: str | None = None
    id: str | None = None
    run: str | None = None
    since: str | None = None
    until: str | None = None
    search: str | None = None
    after: tuple[str, int, int] | None = None
    limit: int | None = None


# -- what happened ------------------------------------------------------------------------------


def runs_with_rules(since: str | None) -> Query:
    """The runs that began since a stamp, newest first, each with its rules and the run's before.

    Columns: `id`, `started_at`, `finished_at`, `counts`, `digest`, `earlier` (null for the first).
    """
    order = run.c.started_at, run.c.id
    every = sa.select(
        run.c.id,
        run.c.started_at,
        run.c.finished_at,
        run.c.counts,
        run.c.rules_digest.label("digest"),
        sa.func.lag(run.c.rules_digest).over(order_by=order).label("earlier"),
    )
    if since is not None:  # and the one before them, whose rules theirs are held against
        before = sa.select(sa.func.max(run.c.started_at)).where(run.c.started_at < since)
        first = sa.func.coalesce(before.scalar_subquery(), since)
        every = every.where(run.c.started_at >= first)
    rows = every.subquery()
    query = sa.select(rows).order_by(rows.c.started_at.desc(), rows.c.id.desc())
    return query if since is None else query.where(rows.c.started_at >= since)


def kept_rules(of: dict[str, Any]) -> Query:
    """What is kept of the two sets of rules that a row of `runs_with_rules` names."""
    return sa.select(rules).where(rules.c.digest.in_([of["digest"], of["earlier"]]))


def written_counts(name: str) -> Query:
    """How much a run wrote: `pair`, `direction`, `status` (`created`, …), `records`."""
    # What an upsert met was there, and so was written over.
    status = sa.case((change.c.state == "met", "updated"), else_=written_status()).label("status")
    return (
        sa.select(change.c.pair, change.c.direction, status, sa.func.count().label("records"))
        .where(change.c.run == name, change.c.state.in_(_WRITTEN))
        .group_by(change.c.pair, change.c.direction, status)
    )


def noted_by(name: str) -> Query:
    """How many conflicts, holds and refusals a run noted of each two types."""
    alike = log.c.status, log.c.internal_type, log.c.external_type
    told = sa.or_(log.c.status.in_(("conflict", "held")), log.c.status.like("% refused"))
    return (
        sa.select(*alike, sa.func.count().label("records"))
        .where(log.c.run == name, told)
        .group_by(*alike)
    )


# -- links --------------------------------------------------------------------------------------


def linked(filters: Filters) -> Query:
    """The links: `salesforce_type`, `salesforce_id`, `outreach_type`, `outreach_id`, `linked_at`.

    Of the filters, `type`, `id` and `limit` count.
    """
    query = sa.select(
        salesforce_type(link.c.pair).label("salesforce_type"),
        link.c.salesforce_id,
        outreach_type(link.c.pair).label("outreach_type"),
        link.c.outreach_id,
        link.c.linked_at,
    ).order_by(link.c.pair, link.c.salesforce_id)
    if filters.type is not None:
        types = salesforce_type(link.c.pair), outreach_type(link.c.pair)
        query = query.where(sa.or_(*(name == filters.type for name in types)))
    if filters.id is not None:
        query = query.where(
            sa.or_(
                sa.cast(link.c.outreach_id, sa.Text) == filters.id,
                is_record(link.c.salesforce_id, filters.id),
            )
        )
    return query.limit(filters.limit)


def link_counts() -> Query:
    """How many links each pair has: `pair`, `links`."""
    count = sa.func.count().label("links")
    return sa.select(link.c.pair, count).group_by(link.c.pair)


# -- where things stand -------------------------------------------------------------------------


def last_run() -> Query:
    """The run that began last."""
    return sa.select(run).order_by(run.c.started_at.desc(), run.c.id.desc()).limit(1)


def run_named(name: str) -> Query:
    """One run."""
    return sa.select(run).where(run.c.id == name)


def written_by(name: str) -> Query:
    """What a run wrote, in its order: the columns of `schema.change`."""
    return (
        sa.select(change)
        .where(change.c.run == name, change.c.state.in_(_WRITTEN))
        .order_by(change.c.id)
    )


def written_later(name: str, pair: str, side: str) -> Query:
    """The records of `side` that runs have written in a pair after this one: `record`, as text."""
    mine = sa.select(sa.func.max(change.c.id)).where(change.c.run == name).scalar_subquery()
    target = change.c.salesforce_id if side == Side.SALESFORCE else change.c.outreach_id
    direction = "outbound" if side == Side.SALESFORCE else "inbound"
    return (
        sa.select(sa.cast(target, sa.Text).label("record"))
        .where(change.c.pair == pair, change.c.direction == direction)
        .where(change.c.state.in_(_WRITTEN))
        .where(change.c.id > mine, change.c.run != name)
        .where(change.c.action.in_((Action.CREATE, Action.UPDATE, Action.DELETE)))
        .distinct()
    )


def cursors() -> Query:
    """Up to where each side of each pair was read: `pair`, `side`, `stamp`."""
    return sa.select(cursor.c.pair, cursor.c.side, cursor.c.stamp)


def last_scans() -> Query:
    """When a side of each pair was last read, by the server's own time: `pair`, `at`."""
    newest = sa.func.max(cursor.c.horizon).label("at")
    return sa.select(cursor.c.pair, newest).group_by(cursor.c.pair)


def pending_counts() -> Query:
    """How many records of each pair wait, and why: `pair`, `why`, `records`."""
    record = pending.c.side + " " + pending.c.record_id
    count = sa.func.count(record.distinct()).label("records")
    return sa.select(pending.c.pair, pending.c.why, count).group_by(pending.c.pair, pending.c.why)


def waiting(limit: int | None, whys: Set[str] | None = None) -> Query:
    """What waits (for one of these reasons), the newest first: the columns of `schema.pending`."""
    query = sa.select(pending).order_by(
        pending.c.since.desc(), pending.c.pair, pending.c.side, pending.c.record_id
    )
    if whys is not None:
        query = query.where(pending.c.why.in_(whys))
    return query.limit(limit)


def waiting_of(side: str, type_name: str, record: str) -> Query:
    """What one record waits for, in each pair of its type: the columns of `schema.pending`."""
    kind = salesforce_type if side == Side.SALESFORCE else outreach_type
    return sa.select(pending).where(
        pending.c.side == side, pending.c.record_id == record, kind(pending.c.pair) == type_name
    )


def waiting_alike(limit: int | None) -> Query:
    """What waits, those with the same words together, what a person has to see to first.

    Columns: `pair`, `side`, `why`, `message`, `records`, `since` (the newest) and one `record_id`.
    """
    order = {"review": 0, "refused": 1, "transient": 2}
    newest = sa.func.max(pending.c.since)
    alike = pending.c.pair, pending.c.side, pending.c.why, pending.c.message
    query = sa.select(
        *alike,
        sa.func.count(pending.c.record_id.distinct()).label("records"),
        newest.label("since"),
        sa.func.min(pending.c.record_id).label("record_id"),
    ).group_by(*alike)
    first = sa.case(order, value=pending.c.why, else_=len(order))
    return query.order_by(first, newest.desc(), *alike).limit(limit)


def call_windows(side: str, period: str, since: str) -> Query:
    """The calls of a side in each hour or day that began since a stamp: `start`, `used`."""
    of = budget.c.side == side, budget.c.period == period, budget.c.start >= since
    return sa.select(budget.c.start, budget.c.used).where(*of).order_by(budget.c.start)


def conflicts_lately(runs: int, limit: int) -> Query:
    """The conflicts of the last so many runs, the newest first: the columns of `schema.log`."""
    lately = sa.select(run.c.id).order_by(run.c.started_at.desc()).limit(runs)
    return (
        sa.select(log)
        .where(log.c.run.in_(lately), log.c.status == "conflict")
        .order_by(log.c.timestamp.desc(), log.c.id.desc())
        .limit(limit)
    )


# -- expressions --------------------------------------------------------------------------------


def written_status() -> sa.ColumnElement[str]:
    """What a write is called in the log."""
    done = sa.case(_DONE, value=change.c.action, else_=change.c.action)
    end = sa.case(_ENDS, value=change.c.state, else_=change.c.state)
    return sa.case((change.c.state == "done", done), else_=change.c.action + " " + end)


def salesforce_type(pair: sa.Column[Any]) -> _Text:
    """The first of `Lead<->prospect`; null for what only Outreach has, such as `stage`."""
    place = sa.func.instr(pair, _BETWEEN)
    return sa.case((place > 0, sa.func.substr(pair, 1, place - 1)))


def outreach_type(pair: sa.Column[Any]) -> _Text:
    place = sa.func.instr(pair, _BETWEEN)
    after = sa.func.substr(pair, place + len(_BETWEEN))
    # The name of an activity's pair goes on with its kind, after a space.
    after = sa.func.substr(after, 1, sa.func.instr(after.op("||")(" "), " ") - 1)
    return sa.case((place > 0, after), else_=pair)


def is_record(column: sa.ColumnElement[Any], record: str) -> sa.ColumnElement[bool]:
    """Whether a Salesforce id is this one, which may be given with 15 characters."""
    if len(record) == _SHORT_ID:
        # As a range, which an index answers: the three characters behind are letters or digits.
        return sa.and_(column >= record, column < record + "~")
    return column == record
