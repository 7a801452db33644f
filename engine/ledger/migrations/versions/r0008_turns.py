"""Turns: which linked records were looked at last, where scans do not tell of deletes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turn",
        sa.Column("pair", sa.Text, primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("last", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
