"""Events, as the first edition made them, which kept no version of its schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_1"
down_revision = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("events"):
        return
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("commit", sa.String(80), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("events_by_model", "events", ["model", "id"])
