from __future__ import annotations

import threading

from registry.registry import Registry
from tests.postgres import Postgres


def take(registry: Registry, holder: str, seconds: float = 60.0, name: str = "runs") -> int:
    with registry.transaction() as transaction:
        return transaction.leases.take(name, holder, seconds)


def test_of_two_replicas_one_has_the_lease_until_it_ends_or_is_given_back(postgres: Postgres) -> None:
    registry = Registry(postgres.url)
    assert take(registry, "one")
    assert not take(registry, "two")
    assert take(registry, "two", name="other")
    assert take(registry, "one", seconds=0)
    assert take(registry, "two")
    with registry.transaction() as transaction:
        transaction.leases.give_back("runs", "one")
    assert not take(registry, "one")
    with registry.transaction() as transaction:
        transaction.leases.give_back("runs", "two")
    assert take(registry, "one")
    registry.close()


def is_held(registry: Registry, holder: str, epoch: int) -> bool:
    with registry.transaction() as transaction:
        return transaction.leases.is_held("runs", holder, epoch)


def test_its_epoch_grows_with_each_change_of_holder_and_what_is_of_an_older_one_is_refused(postgres: Postgres) -> None:
    registry = Registry(postgres.url)
    first = take(registry, "one")
    assert take(registry, "one", seconds=0) == first, "renewed"
    assert not is_held(registry, "one", first), "its time is over"
    second = take(registry, "two")
    with registry.transaction() as transaction:
        transaction.leases.give_back("runs", "two")
    assert not is_held(registry, "two", second)
    third = take(registry, "one")
    assert first < second < third
    assert is_held(registry, "one", third)
    assert not is_held(registry, "one", first), "said before another had it"
    assert not is_held(registry, "two", third)
    registry.close()


def test_of_many_who_ask_at_once_one_gets_it(postgres: Postgres) -> None:
    registry, together, got = Registry(postgres.url), threading.Barrier(5), list[str]()

    def ask(holder: str) -> None:
        with registry.transaction() as transaction:
            together.wait(100)
            if transaction.leases.take("runs", holder, 60):
                got.append(holder)

    askers = [threading.Thread(target=ask, args=(f"replica {number}",)) for number in range(5)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(100)
    assert len(got) == 1
    registry.close()


def test_a_daemon_on_sqlite_is_alone_and_has_every_lease(tmp_path: object) -> None:
    registry = Registry(f"sqlite:///{tmp_path}/registry.db")
    assert take(registry, "one")
    assert take(registry, "after a restart")
    registry.close()
