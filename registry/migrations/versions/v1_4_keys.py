"""Keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_4"
down_revision = "1_3"


def upgrade() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False, server_default="[]"),
        sa.Column("models", sa.Text, nullable=False, server_default="null"),
        sa.Column("rate", sa.Float),
        sa.Column("expires", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("actor_kind", sa.String(20), nullable=False, server_default=""),
        sa.Column("actor_name", sa.Text, nullable=False, server_default=""),
        sa.Column("actor_address", sa.Text, nullable=False, server_default=""),
    )
