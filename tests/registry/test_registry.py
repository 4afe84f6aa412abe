"""The registry while its database is locked, full, damaged, gone or hanging, and afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from core.events import Actor, Event, EventKind
from core.steering import Pin
from registry.database import Database
from registry.errors import RegistryBegunAnew, RegistryUnavailable
from registry.registry import Registry
from registry.transaction import Transaction
from tests.disks import fill, small_disk
from tests.postgres import Postgres
from tests.processes import descendants

ROOT = Path(__file__).parents[2]


def pin(registry: Registry, model: str) -> None:
    with registry.transaction() as transaction:
        put(model)(transaction)


def put(model: str) -> Callable[[Transaction], None]:
    """An action and the event that tells of it."""

    def act(transaction: Transaction) -> None:
        transaction.pins.put(Pin(model=model, release="r"))
        who = Actor(kind="key", name="ada")
        transaction.events.append([Event(kind=EventKind.PINNED, message="x" * 2_000, model=model, actor=who)])

    return act


def pinned(registry: Registry) -> set[str]:
    """Models whose pin and event are both there; a pin without event, or the other way around, fails the test."""
    with registry.transaction() as transaction:
        pins = transaction.pins.all().keys()
        assert sorted(event.model for event in transaction.events.newest(10_000)) == sorted(pins)
    return set(pins)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """By another program."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_database_refuses_and_takes_the_same_again_once_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = Registry(f"sqlite:///{path}", file=path)
    pin(registry, "Before")
    with locked(path), pytest.raises(RegistryUnavailable, match="database is locked"):
        pin(registry, "Meanwhile")
    pin(registry, "After")
    assert pinned(registry) == {"Before", "After"}
    registry.close()


def test_a_table_that_another_one_holds_is_not_waited_for_without_end(postgres: Postgres) -> None:
    registry, other = Registry(postgres.url), Registry(postgres.url)
    pin(registry, "Before")
    with other.transaction() as transaction:
        put("Before")(transaction)
        with pytest.raises(RegistryUnavailable, match="lock timeout"):
            pin(registry, "Before")
    pin(registry, "After")
    with registry.transaction() as transaction:
        assert set(transaction.pins.all()) == {"Before", "After"}
    for one in (registry, other):
        one.close()


def test_a_full_disk_refuses_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "registry.db"
        registry = Registry(f"sqlite:///{path}", file=path)
        acknowledged = set()
        pin(registry, "Before")
        filler = fill(disk, spare=100_000)
        with pytest.raises(RegistryUnavailable, match=f"make room on the disk that holds {path}"):  # noqa: PT012
            for number in range(1_000):
                pin(registry, f"Model{number}")
                acknowledged.add(f"Model{number}")
        filler.unlink()
        pin(registry, "After")
        assert pinned(registry) == {"Before", *acknowledged, "After"}
        assert [one.name for one in disk.glob("*set-aside*")] == []
        registry.close()


def test_what_is_written_after_the_file_was_removed_is_in_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = Registry(f"sqlite:///{path}", file=path)
    pin(registry, "Before")
    path.unlink()
    pin(registry, "After")
    registry.close()
    again = Registry(f"sqlite:///{path}")
    assert pinned(again) == {"After"}
    again.close()


def test_a_file_that_is_damaged_while_it_is_open_is_set_aside_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = Registry(f"sqlite:///{path}", file=path)
    pin(registry, "Before")
    registry.close()  # all of it is in the file then
    with registry.transaction() as transaction:
        assert transaction.pins.of("Other") is None
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"x" * (path.stat().st_size - 4096))
    with pytest.raises(RegistryBegunAnew, match="is begun anew: try again"):
        pinned(registry)
    pin(registry, "After")
    assert pinned(registry) == {"After"}
    assert len(list(tmp_path.glob("registry.db.set-aside-*Z"))) == 1
    registry.close()


def test_a_database_that_could_not_be_opened_refuses_at_once_for_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        calls = list[socket.socket]()

        def hang_up() -> None:
            calls.append(server.accept()[0])
            calls[-1].close()

        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        registry = Registry(f"postgresql://127.0.0.1:{server.getsockname()[1]}/x?sslmode=disable", pause_s=3_600)
        refusals = [str(refused(registry)) for _ in range(3)]
        hanging_up.join(100)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert len(set(refusals)) == 1


def refused(registry: Registry) -> RegistryUnavailable:
    with pytest.raises(RegistryUnavailable) as caught:
        pin(registry, "Model")
    return caught.value


def test_a_database_that_is_not_there_is_an_error_of_ours_without_the_password() -> None:
    error = refused(Registry("postgresql://user:hush-hush@127.0.0.1:1/none?connect_timeout=2"))
    assert "hush-hush" not in str(error)


def test_a_session_in_which_a_pooler_s_other_client_listened_keeps_nothing_of_what_is_said(postgres: Postgres) -> None:
    database = Database(postgres.url)
    with database.begin() as connection:
        connection.exec_driver_sql("LISTEN there")
        connection.exec_driver_sql("NOTIFY there")
    with database.begin() as connection:
        driven = connection.connection.driver_connection
        assert isinstance(driven, psycopg.Connection)
        with pytest.warns(RuntimeWarning, match="not reliable"):  # since there is a handler
            assert not list(driven.notifies(timeout=0))
    database.close()


@pytest.mark.parametrize("url", ["postgresql://user:hush@hash@127.0.0.1:1/none", "postgresql://user:hu:sh@h:hush/none"])
def test_a_password_that_is_not_encoded_is_in_no_error(url: str) -> None:
    assert "hush" not in str(refused(Registry(url + "?connect_timeout=2")))


def test_a_hanging_database_is_answered_for_in_time_and_does_nothing_later(postgres: Postgres) -> None:
    registry = Registry(postgres.url)
    pin(registry, "Before")
    hanging = descendants(postgres.pid())
    for pid in hanging:
        os.kill(pid, signal.SIGSTOP)
    try:
        asyncio.run(give_up_on(registry))
    finally:
        for pid in hanging:
            os.kill(pid, signal.SIGCONT)
    pin(registry, "After")
    assert pinned(registry) == {"Before", "After"}
    registry.close()


async def give_up_on(registry: Registry) -> None:
    with pytest.raises(RegistryUnavailable, match=r"did not answer within 0\.1 s"):
        await registry.perform(put("Meanwhile"), timeout_s=0.1)


def test_a_work_that_nobody_waits_for_any_more_is_not_committed(registry: Registry) -> None:
    asyncio.run(abandon(registry))
    assert pinned(registry) == set()


async def abandon(registry: Registry) -> None:
    may_end, ended = threading.Event(), threading.Event()

    def work(transaction: Transaction) -> None:
        put("Late")(transaction)
        assert may_end.wait(100)
        ended.set()

    with pytest.raises(RegistryUnavailable, match="did not answer"):
        await registry.perform(work, timeout_s=0.1)
    may_end.set()
    await asyncio.to_thread(ended.wait, 30)


def test_no_more_than_so_many_wait_for_a_database_that_is_behind(tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}")
    asyncio.run(pile_up(registry))
    assert len(pinned(registry)) == 16
    registry.close()


async def pile_up(registry: Registry) -> None:
    may_begin = threading.Event()

    def work(number: int) -> Callable[[Transaction], None]:
        def act(transaction: Transaction) -> None:
            assert may_begin.wait(100)
            put(f"Model{number}")(transaction)

        return act

    tasks = [asyncio.create_task(registry.perform(work(number), timeout_s=60)) for number in range(16)]
    await asyncio.sleep(0)
    with pytest.raises(RegistryUnavailable, match="is behind"):
        await registry.perform(work(16))
    may_begin.set()
    await asyncio.gather(*tasks)


ACTING = """
import sys
from registry.registry import Registry
from tests.registry.test_registry import pin
registry = Registry(sys.argv[1])
for number in range(100_000):
    pin(registry, f"Model{number}")
    print(f"Model{number}", flush=True)
"""


@contextmanager
def acting(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that acts, and says what was acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", ACTING, url], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def lines(process: subprocess.Popen[str], most: int) -> set[str]:
    assert process.stdout is not None
    return {process.stdout.readline().strip() for _ in range(most)}


def test_what_was_acknowledged_before_a_kill_is_there_and_nothing_is_half_done(url: str) -> None:
    with acting(url) as process:
        acknowledged = lines(process, 50)
        process.kill()
        assert process.stdout is not None
        acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
    registry = Registry(url)
    done = pinned(registry)
    registry.close()
    assert done >= acknowledged
    assert len(done - acknowledged) <= 1, "it was killed between its commit and its saying so"


def test_what_was_acknowledged_before_the_database_was_killed_is_there_and_nothing_is_half_done(
    postgres: Postgres,
) -> None:
    with acting(postgres.url) as process:
        acknowledged = lines(process, 20)
        postgres.stop()
        assert process.stdout is not None
        acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
    postgres.start()
    registry = Registry(postgres.url)
    done = pinned(registry)
    registry.close()
    assert done >= acknowledged
    assert len(done - acknowledged) <= 1
