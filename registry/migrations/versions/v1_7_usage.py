"""What servers have taken of their machines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_7"
down_revision = "1_6"


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("step", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("server", sa.String(40), primary_key=True),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("memory_bytes", sa.BigInteger, nullable=False),
        sa.Column("cores", sa.Float, nullable=False),
        sa.Column("cores_samples", sa.Integer, nullable=False),
        sa.Column("gpu_memory_bytes", sa.BigInteger, nullable=False),
        sa.Column("gpu_samples", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
