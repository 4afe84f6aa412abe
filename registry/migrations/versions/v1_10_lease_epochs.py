"""How often each lease has had another holder."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_10"
down_revision = "1_9"


def upgrade() -> None:
    op.add_column("leases", sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"))
