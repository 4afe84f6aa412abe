from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from core.keys import Key, Scope
from core.steering import Pin, Rejection
from registry.errors import RegistryUnavailable
from registry.listener import Listener
from registry.registry import Registry
from registry.topics import Topic
from registry.transaction import Transaction
from tests.postgres import Postgres

PATIENCE_S = 60.0


class Heard:
    """How often each topic was heard of."""

    def __init__(self) -> None:
        self.counts = Counter[Topic]()
        self._news = asyncio.Event()

    def hear(self, topic: Topic) -> None:
        self.counts[topic] += 1
        self._news.set()

    async def until(self, is_enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_enough():
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def other(postgres: Postgres) -> Iterator[Registry]:
    """Another daemon's."""
    registry = Registry(postgres.url, pause_s=0)
    with registry.transaction():  # makes the schema
        pass
    yield registry
    registry.close()


def listening(url: str, test: Callable[[Heard], Awaitable[None]]) -> None:
    """The test, with a listener that is connected by then."""

    async def run() -> None:
        heard = Heard()
        listener = Listener(url, {topic: lambda topic=topic: heard.hear(topic) for topic in Topic}, pause_s=0.05)
        task = asyncio.create_task(listener.run())
        await heard.until(lambda: len(heard.counts) == len(Topic))
        heard.counts.clear()
        await test(heard)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())


def write(registry: Registry, work: Callable[[Transaction], object]) -> None:
    with registry.transaction() as transaction:
        work(transaction)


KEY = Key(id="k", digest="d", name="ada", scopes=(Scope.VIEW,))


@pytest.mark.parametrize(
    ("work", "topic"),
    [
        (lambda transaction: transaction.pins.put(Pin(model="Iris", release="r")), Topic.DECISIONS),
        (lambda transaction: transaction.pins.lift("Iris"), Topic.DECISIONS),
        (lambda transaction: transaction.rejections.put(Rejection(model="Iris", release="r")), Topic.DECISIONS),
        (lambda transaction: transaction.rejections.lift("Iris", "r"), Topic.DECISIONS),
        (lambda transaction: transaction.keys.add(KEY), Topic.KEYS),
    ],
)
def test_what_another_commits_is_heard_without_a_look(
    work: Callable[[Transaction], object], topic: Topic, postgres: Postgres, other: Registry
) -> None:
    async def test(heard: Heard) -> None:
        await asyncio.to_thread(write, other, work)
        await heard.until(lambda: heard.counts[topic] == 1)
        assert heard.counts == {topic: 1}

    listening(postgres.url, test)


def test_what_another_takes_back_is_not_heard(postgres: Postgres, other: Registry) -> None:
    def refuse(transaction: Transaction) -> None:
        transaction.pins.put(Pin(model="Iris", release="r"))
        raise ZeroDivisionError

    async def test(heard: Heard) -> None:
        with suppress(ZeroDivisionError):
            await asyncio.to_thread(write, other, refuse)
        await asyncio.to_thread(write, other, lambda transaction: transaction.keys.add(KEY))
        await heard.until(lambda: heard.counts[Topic.KEYS] == 1)
        assert heard.counts[Topic.DECISIONS] == 0

    listening(postgres.url, test)


def test_after_the_database_was_away_everything_counts_as_said_and_more_is_heard(
    postgres: Postgres, other: Registry
) -> None:
    async def test(heard: Heard) -> None:
        await asyncio.to_thread(postgres.stop)
        await asyncio.to_thread(postgres.start)
        await heard.until(lambda: len(heard.counts) == len(Topic))
        before = heard.counts[Topic.DECISIONS]
        with suppress(RegistryUnavailable):  # the connection that was cut off
            await asyncio.to_thread(write, other, lambda transaction: transaction.pins.lift("Iris"))
        await asyncio.to_thread(write, other, lambda transaction: transaction.pins.lift("Iris"))
        await heard.until(lambda: heard.counts[Topic.DECISIONS] > before)

    listening(postgres.url, test)


def test_a_failure_of_whoever_is_told_ends_nothing(
    postgres: Postgres, other: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        heard = Heard()

        def hear() -> None:
            heard.hear(Topic.KEYS)
            if heard.counts[Topic.KEYS] == 1:
                raise RuntimeError("a surprise")

        task = asyncio.create_task(Listener(postgres.url, {Topic.KEYS: hear}, pause_s=0.05).run())
        await heard.until(lambda: heard.counts[Topic.KEYS] == 2)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert "RuntimeError: a surprise" in caplog.text


@pytest.mark.parametrize("url", ["sqlite:///nowhere.db", "no url", "postgresql+nothing://there"])
def test_a_database_that_tells_nothing_is_not_listened_to(url: str) -> None:
    asyncio.run(asyncio.wait_for(Listener(url, {}).run(), PATIENCE_S))


def test_progress_of_runs_is_not_told_and_what_others_must_know_is(postgres: Postgres, other: Registry) -> None:
    async def test(heard: Heard) -> None:
        key = "a" * 12
        write(other, lambda transaction: transaction.open_runs.tell({key: "running"}))
        await heard.until(lambda: heard.counts[Topic.RUNS] == 1)
        write(other, lambda transaction: transaction.open_runs.tell({key: "running on"}, is_urgent=False))
        write(other, lambda transaction: transaction.open_runs.forget(transaction.open_runs.all()))
        await heard.until(lambda: heard.counts[Topic.RUNS] > 1)
        write(other, lambda transaction: transaction.open_runs.ask(key, "queued"))
        await heard.until(lambda: heard.counts[Topic.RUNS] >= 3)
        assert heard.counts[Topic.RUNS] == 3

    listening(postgres.url, test)
