"""Runs that are not over, for all daemons with the same database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_9"
down_revision = "1_8"


def upgrade() -> None:
    op.create_table(
        "open_runs",
        sa.Column("run", sa.String(40), primary_key=True),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        sa.Column("state", sa.Text, nullable=False),
    )
