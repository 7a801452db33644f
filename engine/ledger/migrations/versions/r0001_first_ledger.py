"""The first ledger: links with their bases, cursors, runs, changes, what is pending, the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("salesforce_id", sa.Text, primary_key=True),
        sa.Column("outreach_id", sa.Integer, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("salesforce_base", sa.LargeBinary, nullable=False),
        sa.Column("outreach_base", sa.LargeBinary, nullable=False),
        sa.Column("linked_at", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("link_outreach", "link", ["pair", "outreach_id"], unique=True)
    op.create_table(
        "tombstone",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("salesforce_id", sa.Text, primary_key=True),
        sa.Column("outreach_id", sa.Integer, primary_key=True),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("salesforce_base", sa.LargeBinary, nullable=False),
        sa.Column("outreach_base", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("tombstone_outreach", "tombstone", ["pair", "outreach_id"])
    op.create_table(
        "layout",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pair", sa.Text, nullable=False),
        sa.Column("lines", sa.Text, nullable=False),
    )
    op.create_index("layout_lines", "layout", ["pair", "lines"], unique=True)
    op.create_table(
        "cursor",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("horizon", sa.Text, nullable=False),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("rules_digest", sa.Text, nullable=False),
        sa.Column("counts", sa.Text),
        sa.Column("calls", sa.Text),
    )
    op.create_table(
        "change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("pair", sa.Text, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("salesforce_id", sa.Text),
        sa.Column("outreach_id", sa.Integer),
        sa.Column("fields", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
    )
    op.create_index("change_run", "change", ["run"])
    op.create_index(
        "change_sending", "change", ["state"], sqlite_where=sa.text("state = 'sending'")
    )
    op.create_table(
        "pending",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("why", sa.Text, primary_key=True),
        sa.Column("needs_pair", sa.Text, primary_key=True),
        sa.Column("needs_id", sa.Text, primary_key=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("rules_digest", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("pending_needs", "pending", ["needs_pair", "needs_id"])
    op.create_table(
        "log",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("timestamp", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("internal_type", sa.Text),
        sa.Column("internal_id", sa.Text),
        sa.Column("external_type", sa.Text),
        sa.Column("external_id", sa.Text),
    )
