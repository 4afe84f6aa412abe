from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from core.events import Actor
from core.keys import Key, Scope
from registry.registry import Registry

NOW = datetime(2026, 6, 21, 12, tzinfo=UTC)
ADA = Actor(kind="session", name="ada", address="10.0.0.1")
KEY = Key(
    id="abc",
    digest="d" * 64,
    name="shop",
    scopes=(Scope.VIEW, Scope.PREDICT),
    models=("Iris", "Wine"),
    rate=2.5,
    expires=NOW + timedelta(days=1),
    created_at=NOW,
    created_by=ADA,
)
PLAIN = Key(id="def", digest="e" * 64, name="plain", scopes=(Scope.ADMIN,), created_at=NOW + timedelta(seconds=1))


def test_keys_come_back_as_they_were_added_the_newest_first(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.keys.add(KEY, PLAIN)
    with registry.transaction() as transaction:
        assert transaction.keys.valid() == [PLAIN, KEY]


def test_a_key_is_revoked_once_and_stays_so_whoever_adds_it_again(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.keys.add(KEY)
        assert transaction.keys.revoke("abc", NOW) == KEY
        assert transaction.keys.revoke("abc", NOW) is None
        transaction.keys.add(KEY)
        assert transaction.keys.valid() == []
        assert transaction.keys.unknown(["abc", "new"]) == {"new"}


def test_a_key_that_is_there_stays_as_it_is(registry: Registry) -> None:
    with registry.transaction() as transaction:
        transaction.keys.add(KEY)
        transaction.keys.add(msgspec.structs.replace(KEY, scopes=(Scope.ADMIN,)))
        transaction.keys.add()
        assert transaction.keys.valid() == [KEY]
