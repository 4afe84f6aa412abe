"""Indexes by which events are listed, however many there are."""

from __future__ import annotations

from alembic import op

revision = "1_6"
down_revision = "1_5"


def upgrade() -> None:
    op.create_index("events_by_time", "events", ["at"])
    op.create_index("events_of_model_by_time", "events", ["model", "at"])
    op.create_index("events_of_kind_by_time", "events", ["kind", "at"])
    op.create_index("events_of_actor_by_time", "events", ["actor_name", "at"])
    op.create_index("events_of_actors_by_time", "events", ["actor_kind", "at"])
