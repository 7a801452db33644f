"""Budgets: the calls that were reserved, and the steps that wait for calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budget",
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("period", sa.Text, primary_key=True),
        sa.Column("start", sa.Text, primary_key=True),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stalled",
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
    )
