"""Which writes a field had of late: an index of the updates of each linked record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "change_updates",
        "change",
        ["pair", "salesforce_id"],
        sqlite_where=sa.text("action = 'update'"),
    )
