"""Who did what, pins, rejections, deployments, runs and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1_2"
down_revision = "1_1"


def upgrade() -> None:
    _add_to_events()
    _create_pins_and_rejections()
    _create_deployments()
    _create_runs()
    op.create_table(
        "leases",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("until", _moment(), nullable=False),
    )


def _add_to_events() -> None:
    op.add_column("events", sa.Column("key", sa.String(32)))
    for column in (*_actor(), _text("reason", sa.Text()), _text("action", sa.String(40))):
        op.add_column("events", column)
    op.create_index("events_by_kind", "events", ["kind", "id"])
    op.create_index("events_by_key", "events", ["key"], unique=True)


def _create_pins_and_rejections() -> None:
    for table, has_several in (("pins", False), ("rejections", True)):
        op.create_table(
            table,
            sa.Column("model", sa.String(255), primary_key=True),
            sa.Column("release", sa.String(64), primary_key=has_several, nullable=False),
            *_version(),
            sa.Column("at", _moment(), nullable=False),
            *_actor(),
            _text("reason", sa.Text()),
        )


def _create_deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("release", sa.String(64), nullable=False),
        *_version(),
        sa.Column("began_at", _moment(), nullable=False),
        sa.Column("ended_at", _moment()),
        sa.Column("cause", sa.String(20), nullable=False),
        *_actor(),
        _text("reason", sa.Text()),
    )
    op.create_index("deployments_by_model", "deployments", ["model", "id"])
    going_on = sa.text("ended_at IS NULL")
    op.create_index(
        "deployments_now", "deployments", ["model"], unique=True, sqlite_where=going_on, postgresql_where=going_on
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("run", sa.String(40), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        _text("commit", sa.String(80)),
        _text("code_key", sa.String(40)),
        _text("reason", sa.String(40)),
        _text("message", sa.Text()),
        _text("detail", sa.Text()),
        _json("scores"),
        _text("compared", sa.Text()),
        _text("artifact", sa.String(80)),
        _json("params"),
        _json("model_params"),
        _text("dataset_fingerprint", sa.Text()),
        _text("validation_fingerprint", sa.Text()),
        sa.Column("queued_at", _moment(), nullable=False),
        sa.Column("began_at", _moment()),
        sa.Column("ended_at", _moment()),
        sa.Column("peak_memory", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("cpu_seconds", sa.Float, nullable=False, server_default="0"),
        _json("packages"),
        _text("started_by", sa.Text()),
    )
    op.create_index("runs_by_attempt", "runs", ["run", "model", "attempt"], unique=True)
    op.create_index("runs_by_model", "runs", ["model", "id"])
    op.create_index("runs_by_state", "runs", ["state", "id"])


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _text(name: str, kind: sa.String) -> sa.Column[str]:
    return sa.Column(name, kind, nullable=False, server_default="")


def _json(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="{}")


def _version() -> tuple[sa.Column[str], ...]:
    return _text("version", sa.String(40)), _text("commit", sa.String(80)), _text("run", sa.String(40))


def _actor() -> tuple[sa.Column[str], ...]:
    return _text("actor_kind", sa.String(20)), _text("actor_name", sa.Text()), _text("actor_address", sa.Text())
