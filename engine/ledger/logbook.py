"""The technical log as people ask for it: what was noted and what was written, filtered, in pages.

A ledger keeps millions of rows, and a page is wanted at once. So each of the two tables is read by
the index that fits the filters: the time, a run, a record's id, or the words (`log_words` and
`change_words`, in which a message's, a type's or a status's text is found by its trigrams).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from engine.ledger.looking import (
    ACTIONS,
    Filters,
    Query,
    is_record,
    last_run,
    outreach_type,
    salesforce_type,
    written_status,
)
from engine.ledger.schema import change, log, run, words_upto

__all__ = ["log_rows"]

_Condition = sa.ColumnElement[bool]
#: Rows are numbered as they come, which is nearly the order of their times: the clocks of both orgs
#: and of this computer differ, by less than it takes to write so many.
_OUT_OF_ORDER = 500
_WILD = re.compile(r"[%_/]")
_UNUSUAL: _Condition = sa.literal_column("(state <> 'done' OR error IS NOT NULL)")
_TRIGRAM = re.compile(r"[^_]{3}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")  # of a record in Outreach

_WORDS = {
    table: sa.table(f"{table.name}_words", *map(sa.column, ("rowid", "message", "kind")))
    for table in (log, change)
}


def log_rows(filters: Filters) -> Query:
    """The technical log, newest first: what was noted, and each write with what came of it.

    Columns: `timestamp`, `status`, `message`, and the `internal_…` (Outreach) and `external_…`
    (Salesforce) `type` and `id`, all of them text; and `source` and `number`, which with the
    timestamp make the row's place.
    """
    parts = (_noted(filters), _written(filters))
    rows = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery()
    return (
        sa.select(rows)
        .order_by(rows.c.timestamp.desc(), rows.c.source.desc(), rows.c.number.desc())
        .limit(filters.limit)
    )


def _noted(filters: Filters) -> Query:
    """The rows of the log; a refusal is left to the row of its write, which says more."""
    query = sa.select(
        sa.literal(1).label("source"),
        log.c.id.label("number"),
        log.c.timestamp,
        log.c.status,
        log.c.message,
        log.c.internal_type,
        log.c.internal_id,
        log.c.external_type,
        log.c.external_id,
    ).where(sa.not_(_is_told(log)))
    return _newest(query, log, filters)


def _is_told(rows: Any) -> _Condition:
    """Whether a row of the log is a refusal whose write has a row of its own."""
    told = sa.exists().where(
        change.c.run == rows.c.run,
        change.c.state == sa.literal_column("'refused'"),  # as the index of refusals has it
        change.c.action + " refused" == rows.c.status,
        change.c.error == rows.c.message,
    )
    return sa.and_(rows.c.status.like("% refused"), told)


def _written(filters: Filters) -> Query:
    """The writes, in the log's columns."""
    query = sa.select(
        sa.literal(0).label("source"),
        change.c.id.label("number"),
        change.c.at.label("timestamp"),
        written_status().label("status"),
        (change.c.reason + sa.func.coalesce("; " + change.c.error, "")).label("message"),
        outreach_type(change.c.pair).label("internal_type"),
        sa.cast(change.c.outreach_id, sa.Text).label("internal_id"),
        salesforce_type(change.c.pair).label("external_type"),
        change.c.salesforce_id.label("external_id"),
    )
    return _newest(query, change, filters)


def _newest(query: Query, table: sa.Table, filters: Filters) -> Query:
    """The first rows of one of the two tables that pass the filters.

    Each table is read and cut by itself, so that its index gives them without reading the rest.
    """
    at, number = (_bare(query.selected_columns[name]) for name in ("timestamp", "number"))
    narrowed = list(_narrowed(table, filters))
    if narrowed:
        query = query.where(*narrowed)
        at = at + sa.literal_column("''")  # or SQLite would walk the index on the time
    query = query.where(*_passing(query, at, table, filters))
    return query.order_by(at.desc(), number.desc()).limit(filters.limit)


def _passing(
    query: Query, at: sa.ColumnElement[Any], table: sa.Table, filters: Filters
) -> Iterator[_Condition]:
    """What a row has to fulfil for each of the filters."""
    names = "source", "number", "status", "message", "internal_type", "external_type"
    c = {name: _bare(query.selected_columns[name]) for name in names}
    if filters.since is not None:
        yield at >= filters.since
    if filters.until is not None:
        yield at < filters.until
    if filters.after is not None:
        # The bare bound beside the place is what the index on the time is used for.
        yield at <= filters.after[0]
        yield sa.tuple_(at, c["source"], c["number"]) < sa.tuple_(*filters.after)
    if filters.run is not None:
        last = last_run().with_only_columns(run.c.id).scalar_subquery()
        yield table.c.run == (last if filters.run == "last" else filters.run)
    if filters.status is not None:
        last_word = c["status"].endswith(f" {filters.status}", autoescape=True)
        yield sa.or_(c["status"] == filters.status, last_word)
    if filters.type is not None:
        yield sa.or_(*(c[name] == filters.type for name in names[-2:]))
    if filters.search is not None:
        # SQLite's LIKE minds no case by itself; `lower` around both would take half as long again.
        yield c["message"].contains(filters.search, autoescape=True)


def _bare(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """What a label stands for: a condition cannot name the label itself."""
    return column.element if isinstance(column, sa.Label) else column


# -- by which index -----------------------------------------------------------------------------


def _narrowed(table: sa.Table, filters: Filters) -> Iterator[_Condition]:
    """Conditions on the number that an index answers; none where the time or a run does best."""
    if filters.id is not None:
        yield _is_of(table, filters.id)
    elif filters.run is None and (wanted := list(_words_of(table, filters))):
        yield _worded(table, wanted, filters)


def _is_of(table: sa.Table, record: str) -> _Condition:
    """The rows about a record, which each side has its own column for."""
    if table is log:
        internal: _Condition = log.c.internal_id == record
        external = is_record(log.c.external_id, record)
    else:
        internal = change.c.outreach_id == int(record) if _NUMBER.fullmatch(record) else sa.false()
        external = is_record(change.c.salesforce_id, record)
    queries = (sa.select(table.c.id).where(condition) for condition in (internal, external))
    return table.c.id.in_(sa.union_all(*queries))


def _words_of(table: sa.Table, filters: Filters) -> Iterator[_Condition]:
    """Conditions on the words of a table that its index of trigrams answers."""
    words = _WORDS[table]
    if filters.search is not None and (found := _indexed(filters.search)):
        yield words.c.message.like(found)
        yield words.c.message.contains(filters.search, autoescape=True)
    elif filters.limit is None:  # types and statuses are common: all their rows are best read
        return
    if filters.type is not None:
        kind = f"\t{filters.type}\t"
        if found := _indexed(kind):
            yield words.c.kind.like(found)
            yield sa.func.instr(words.c.kind, kind) > 0
    status = filters.status if table is log else ACTIONS.get(filters.status or "")
    if status is not None and (found := _indexed(f"{status}\n")):
        yield words.c.kind.like(found)
        yield sa.or_(*(sa.func.instr(words.c.kind, f"{c}{status}\n") > 0 for c in "\t "))
    elif filters.status is not None and table is change:
        yield words.c.rowid < 0  # an unusual end, which is not among the words


def _indexed(text: str) -> str | None:
    """A pattern that finds the text, and maybe more, by its trigrams; None if it has none.

    The index takes no escaped character, so that any character stands for a wildcard.
    """
    pattern = _WILD.sub("_", text)
    return f"%{pattern}%" if _TRIGRAM.search(pattern) else None


def _worded(table: sa.Table, wanted: list[_Condition], filters: Filters) -> _Condition:
    """The newest of the rows with these words, more than a page of them; and those without words.

    Rows of a run at work join the words at its end; of a write, only what never changes does.
    """
    number = _WORDS[table].c.rowid
    query = sa.select(number).where(*wanted, *_bounds(table, number, filters))
    row = table.alias("row")
    if table is log:
        query = query.where(~sa.exists().where(row.c.id == number, _is_told(row)))
    elif filters.status is not None:
        query = query.where(sa.exists().where(row.c.id == number, row.c.state == "done"))
    if filters.limit is not None:
        query = query.order_by(number.desc()).limit(filters.limit + _OUT_OF_ORDER)
    upto = sa.select(words_upto.c.number).where(words_upto.c.source == table.name)
    parts = [
        sa.select(query.subquery()),
        sa.select(table.c.id).where(table.c.id > upto.scalar_subquery()),
    ]
    if table is change:
        parts.append(sa.select(change.c.id).where(_UNUSUAL))
    return table.c.id.in_(sa.union_all(*parts))


def _bounds(
    table: sa.Table, number: sa.ColumnElement[Any], filters: Filters
) -> Iterator[_Condition]:
    """Between which numbers the rows of a stretch of time are."""
    at = table.c.timestamp if table is log else table.c.at
    if filters.since is not None:
        first = sa.select(table.c.id).where(at >= filters.since).order_by(at, table.c.id)
        yield number > first.limit(1).scalar_subquery() - _OUT_OF_ORDER
    last = [filters.until, filters.after[0] if filters.after else None]
    for bound in filter(None, last):
        newest = sa.select(table.c.id).where(at <= bound).order_by(at.desc(), table.c.id.desc())
        yield number < newest.limit(1).scalar_subquery() + _OUT_OF_ORDER
