"""Troubles that somebody was told of, so that a restart does not tell of them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("trouble", sa.Text, primary_key=True),
        sa.Column("since", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
