"""The history of traffic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_3"
down_revision = "1_2"


def upgrade() -> None:
    names = {"model": 255, "version": 40, "stage": 20, "commit": 80, "run": 40}
    columns = [sa.Column(name, sa.String(length), nullable=False, server_default="") for name, length in names.items()]
    op.create_table("traffic_series", sa.Column("id", sa.Integer, primary_key=True), *columns)
    op.create_index("traffic_series_by_model", "traffic_series", list(names), unique=True)
    op.create_table(
        "traffic",
        sa.Column("step", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("series", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("bucket", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "traffic_written",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("traffic_written_by_time", "traffic_written", ["at"])
