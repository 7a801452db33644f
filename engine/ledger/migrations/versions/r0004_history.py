"""What the log and the activity history are read by, and the rules of each revision that ran."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("log_timestamp", "log", ["timestamp"])
    op.create_index("log_run", "log", ["run"])
    op.create_index("change_at", "change", ["at"])
    op.create_index(
        "change_refused", "change", ["run", "error"], sqlite_where=sa.text("state = 'refused'")
    )
    op.create_table(
        "rules",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("facts", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
