"""The ledger's tables: what is linked, what both sides last agreed on, and what was done."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

__all__ = [
    "applied_plan",
    "budget",
    "change",
    "cursor",
    "lately",
    "layout",
    "link",
    "log",
    "metadata",
    "pending",
    "rules",
    "run",
    "stalled",
    "token",
    "tombstone",
    "turn",
    "words_upto",
]

metadata = MetaData()

#: Two records that stand for one another. The bases are JSON arrays with one value for each line of
#: the layout: each side's own value, in canonical form, when both sides last agreed.
link = Table(
    "link",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("salesforce_id", Text, primary_key=True),
    Column("outreach_id", Integer, nullable=False),
    Column("layout", Integer, nullable=False),
    Column("salesforce_base", LargeBinary, nullable=False),
    Column("outreach_base", LargeBinary, nullable=False),
    Column("linked_at", Text, nullable=False),
    Index("link_outreach", "pair", "outreach_id", unique=True),
    sqlite_with_rowid=False,
)

#: A link one of whose records was deleted, kept so that an undelete revives it.
tombstone = Table(
    "tombstone",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("salesforce_id", Text, primary_key=True),
    Column("outreach_id", Integer, primary_key=True),
    Column("side", Text, nullable=False),
    Column("layout", Integer, nullable=False),
    Column("salesforce_base", LargeBinary, nullable=False),
    Column("outreach_base", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Index("tombstone_outreach", "pair", "outreach_id"),
    sqlite_with_rowid=False,
)

#: Which lines the positions of a base stand for; rules that change get a new layout.
layout = Table(
    "layout",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pair", Text, nullable=False),
    Column("lines", Text, nullable=False),
    Index("layout_lines", "pair", "lines", unique=True),
)

#: Up to where a side's changes have been read, and the server's time when that scan began.
cursor = Table(
    "cursor",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("horizon", Text, nullable=False),
)

#: The rules that ran, by their digest: `facts` is JSON as `dsl.changes` reads it.
rules = Table(
    "rules",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("facts", Text, nullable=False),
    sqlite_with_rowid=False,
)

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("status", Text, nullable=False),
    Column("rules_digest", Text, nullable=False),
    Column("counts", Text),
    Column("calls", Text),
)

#: Everything that was decided to be written. A row is committed as `sending` before the write goes
#: out, and becomes `done`, `refused` or `unknown` with the answer; a create whose upsert went to a
#: record that was there has `met` it. `fields` is a JSON array of `[line, before, after]`, lines
#: counted in the layout. A link that was moved by hand is an
#: `unlink` and the `link` right after it, `undone` once an undo has moved it back.
change = Table(
    "change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("pair", Text, nullable=False),
    Column("layout", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("salesforce_id", Text),
    Column("outreach_id", Integer),
    Column("fields", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("error", Text),
    Index("change_run", "run"),
    Index("change_at", "at"),
    Index("change_salesforce_id", "salesforce_id", sqlite_where=text("salesforce_id IS NOT NULL")),
    Index("change_outreach_id", "outreach_id", sqlite_where=text("outreach_id IS NOT NULL")),
    Index("change_unusual", "at", sqlite_where=text("state <> 'done' OR error IS NOT NULL")),
    Index("change_sending", "state", sqlite_where=text("state = 'sending'")),
    Index("change_refused", "run", "error", sqlite_where=text("state = 'refused'")),
)

#: Records to be looked at again although they have not changed. `why` is `reference` (a field waits
#: until `needs_id` of `needs_pair` is linked), `transient` (tried again in the next run), `refused`
#: (held until the record or the rules change), `paused` (a field swings between two values and is
#: held: `needs_pair` is the key of its line, `needs_id` tells what both sides say of it), `review`
#: (held for a person), `vanished` (its deletion is held, since too many are gone at once),
#: `resumed` (that deletion may go on) or `budget` (its write waits for calls). Where a review needs
#: `merge PAIR`, `needs_id` is a held merge's master. Where it needs `about PAIR`, that is a JSON
#: array of the records in the way: it is decided on again once one of them has moved, or is linked
#: or unlinked in that pair.
pending = Table(
    "pending",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("why", Text, primary_key=True),
    Column("needs_pair", Text, primary_key=True),
    Column("needs_id", Text, primary_key=True),
    Column("message", Text, nullable=False),
    Column("rules_digest", Text, nullable=False),
    Column("since", Text, nullable=False),
    Index("pending_needs", "needs_pair", "needs_id"),
    Index("pending_paused", "pair", "side", "record_id", sqlite_where=text("why = 'paused'")),
    sqlite_with_rowid=False,
)

#: Fields whose pause has ended, by the key of the line: updates up to the change `until` no longer
#: count as turns of a swing.
swing = Table(
    "swing",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("salesforce_id", Text, primary_key=True),
    Column("line", Text, primary_key=True),
    Column("until", Integer, nullable=False),
    Column("at", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: Saved plans that were carried out, each once. The row without a plan says up to when such rows
#: were pruned: a plan that was made before that is refused.
applied_plan = Table(
    "applied_plan",
    metadata,
    Column("plan", Text, primary_key=True),
    Column("run", Text, nullable=False),
    Column("at", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: The technical log, in the terms of the settings page: internal is Outreach, external Salesforce.
log = Table(
    "log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("timestamp", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("internal_type", Text),
    Column("internal_id", Text),
    Column("external_type", Text),
    Column("external_id", Text),
    Index("log_timestamp", "timestamp"),
    Index("log_run", "run"),
    Index("log_internal_id", "internal_id", sqlite_where=text("internal_id IS NOT NULL")),
    Index("log_external_id", "external_id", sqlite_where=text("external_id IS NOT NULL")),
)

#: Up to which row the words of `log` and of `change` are in the index that migration 0012 makes.
words_upto = Table(
    "words_upto",
    metadata,
    Column("source", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    sqlite_with_rowid=False,
)

#: The calls of a side in a window of a day or an hour, by the window's first moment: those that
#: were reserved, and those of them that are known to have been sent.
budget = Table(
    "budget",
    metadata,
    Column("side", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("start", Text, primary_key=True),
    Column("used", Integer, nullable=False),
    Column("sent", Integer, nullable=False),
    sqlite_with_rowid=False,
)

#: The steps that the last run could not finish since a budget was spent, in their order.
stalled = Table(
    "stalled",
    metadata,
    Column("place", Integer, primary_key=True),
    Column("step", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("until", Text, nullable=False),
)


#: What the authorisation of each side gave, and of `webhooks` what we registered, sealed with a key
#: that is not in the ledger.
token = Table(
    "token",
    metadata,
    Column("side", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", Text, nullable=False),
)

#: Up to which record, in the order of ids, the linked records of a pair's side were looked at
#: lately, where the store's scans do not tell of deletes.
turn = Table(
    "turn",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("last", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: What records without a base of theirs held that the overlap of the next scan may read again.
lately = Table(
    "lately",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

#: Troubles that somebody was told of and that last: what each is about, and since when.
alert = Table(
    "alert",
    metadata,
    Column("trouble", Text, primary_key=True),
    Column("since", Text, nullable=False),
    sqlite_with_rowid=False,
)
