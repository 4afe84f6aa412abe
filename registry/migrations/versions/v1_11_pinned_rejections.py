"""When a release that had been rejected was pinned all the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_11"
down_revision = "1_10"


def upgrade() -> None:
    op.add_column("rejections", sa.Column("pinned_at", sa.DateTime(timezone=True)))
