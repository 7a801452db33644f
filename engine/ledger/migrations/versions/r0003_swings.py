"""Fields that swing between the two sides: finding what was lately written to one record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "swing",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("until", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "change_updates",
        "change",
        ["pair", "salesforce_id"],
        sqlite_where=sa.text("action = 'update'"),
    )
    op.create_index("pending_swing", "pending", ["pair"], sqlite_where=sa.text("why = 'swing'"))
