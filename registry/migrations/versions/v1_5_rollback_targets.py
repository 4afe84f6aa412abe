"""What a rollback went back to, so that every replica goes back to the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_5"
down_revision = "1_4"


def upgrade() -> None:
    for name, length in (("to_release", 64), ("to_version", 40), ("to_commit", 80), ("to_run", 40)):
        op.add_column("rejections", sa.Column(name, sa.String(length), nullable=False, server_default=""))
