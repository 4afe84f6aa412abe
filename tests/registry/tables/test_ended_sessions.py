from __future__ import annotations

from datetime import UTC, datetime, timedelta

from registry.registry import Registry

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)


def test_sessions_are_kept_once_until_they_are_forgotten(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.ended_sessions.add({"one": NOW, "two": NOW + timedelta(hours=1)})
        transaction.ended_sessions.add({"one": NOW + timedelta(hours=2)})
        transaction.ended_sessions.add({})
    with registry.transaction() as transaction:
        assert transaction.ended_sessions.all() == {"one": NOW, "two": NOW + timedelta(hours=1)}
        transaction.ended_sessions.forget(NOW + timedelta(minutes=1))
        assert transaction.ended_sessions.all().keys() == {"two"}
