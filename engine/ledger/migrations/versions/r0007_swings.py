"""Fields that swing: those that are paused found at once, and from where on writes count again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "pending_paused",
        "pending",
        ["pair", "side", "record_id"],
        sqlite_where=sa.text("why = 'paused'"),
    )
    op.create_table(
        "swing",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("salesforce_id", sa.Text, primary_key=True),
        sa.Column("line", sa.Text, primary_key=True),
        sa.Column("until", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
