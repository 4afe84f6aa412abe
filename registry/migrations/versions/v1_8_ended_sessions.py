"""Sessions that were ended, for all daemons with the same database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_8"
down_revision = "1_7"


def upgrade() -> None:
    op.create_table(
        "ended_sessions",
        sa.Column("session", sa.String(40), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
