"""What the log's filters are answered by: indexes of records, and of words, types and actions.

The words stand in FTS5's trigram index, which holds no text of its own: it takes it from the two
views, whose texts never change. `words_upto` tells up to which row a table is in it.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TYPES = "replace(substr(pair || ' ', 1, instr(pair || ' ', ' ') - 1), '<->', char(9))"
_LOG_TYPES = "coalesce(internal_type, '') || char(9) || coalesce(external_type, '')"
_VIEWS = {
    "log": ("message", f"char(9) || {_LOG_TYPES} || char(9) || status || char(10)"),
    "change": ("reason", f"char(9) || {_TYPES} || char(9) || action || char(10)"),
}


def upgrade() -> None:
    for column in ("internal_id", "external_id"):
        op.execute(f"CREATE INDEX log_{column} ON log ({column}) WHERE {column} IS NOT NULL")
    op.execute("DROP INDEX change_updates")
    for column in ("salesforce_id", "outreach_id"):
        op.execute(f"CREATE INDEX change_{column} ON change ({column}) WHERE {column} IS NOT NULL")
    op.execute(
        "CREATE INDEX change_unusual ON change (at) WHERE state <> 'done' OR error IS NOT NULL"
    )
    op.execute(
        "CREATE TABLE words_upto (source TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL)"
        " WITHOUT ROWID"
    )
    for table, (message, kind) in _VIEWS.items():
        op.execute(
            f"CREATE VIEW {table}_text AS SELECT id, {message} AS message, {kind} AS kind"
            f" FROM {table}"
        )
        op.execute(
            f"CREATE VIRTUAL TABLE {table}_words USING fts5(message, kind,"
            f" content='{table}_text', content_rowid='id', tokenize='trigram', detail='none',"
            " columnsize=0)"
        )
        op.execute(f"INSERT INTO {table}_words({table}_words) VALUES ('rebuild')")
        op.execute(f"INSERT INTO words_upto SELECT '{table}', coalesce(max(id), 0) FROM {table}")
