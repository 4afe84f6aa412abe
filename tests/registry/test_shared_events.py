"""Two event logs with one database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.events import Actor, Event, EventKind
from registry.event_filter import EVERYTHING
from registry.event_log import EventLog
from registry.registry import Registry
from registry.shared_events import EventsOfOthers, SharedEvents
from tests.postgres import Postgres

PATIENCE_S = 60.0
ADA = Actor(kind="key", name="ada")


def pinned(version: str) -> Event:
    return Event(kind=EventKind.PINNED, message="pinned", model="Iris", version=version, actor=ADA)


def test_a_daemon_keeps_and_tells_what_another_writes_each_event_once(postgres: Postgres) -> None:
    async def test() -> None:
        registry, elsewhere = Registry(postgres.url), Registry(postgres.url)
        log, other = EventLog(registry), EventLog(elsewhere)
        await other.tell(before := pinned("v1"))
        log.start()
        shared = SharedEvents(registry, log)
        following = asyncio.create_task(shared.run())
        await kept(log, 1)
        await log.tell(own := pinned("v2"))
        await other.tell(theirs := pinned("v3"))
        shared.hasten()
        await kept(log, 3)
        assert await log.listed(EVERYTHING) == [theirs, own, before]
        assert [event for _, event in log.kept.after(log.kept.last - 1)] == [theirs]
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await asyncio.to_thread(log.close, 5)
        for one in (registry, elsewhere):
            one.close()

    asyncio.run(test())


def test_what_another_wrote_since_the_start_is_news_though_it_is_read_with_what_was_before(
    tmp_path: Path,
) -> None:
    """As where the database answers long after the start."""

    async def test() -> None:
        registry = Registry(f"sqlite:///{tmp_path}/registry.db")
        log, other = EventLog(registry), EventLog(registry)
        await other.tell(before := pinned("v1"))
        own = Event(kind=EventKind.LIVE, message="live", model="Iris", version="v2")
        theirs = Event(kind=EventKind.PINNED, message="pinned", at=datetime.now(UTC) + timedelta(seconds=9), actor=ADA)
        await other.tell(theirs)
        log.record(own)
        log.start()
        await kept(log, 3)
        assert await log.listed(EVERYTHING) == [theirs, own, before]
        assert [event for _, event in log.kept.after(-1)] == [own, theirs]
        await asyncio.to_thread(log.close, 5)
        registry.close()

    asyncio.run(test())


async def kept(log: EventLog, many: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(log.kept.newest()) < many:  # noqa: ASYNC110  # what the log remembers at its start is no news
            await asyncio.sleep(0.01)


def test_what_is_committed_late_is_found_although_greater_numbers_were_seen(postgres: Postgres) -> None:
    registry, slow, quick = (Registry(postgres.url) for _ in range(3))
    others = EventsOfOthers("ours")
    with slow.transaction() as transaction:
        transaction.events.append([pinned("v1")])
        with quick.transaction() as meanwhile:
            meanwhile.events.append([pinned("v2")])
        assert [event.version for event in new(others, registry)] == ["v2"]
    assert [event.version for event in new(others, registry)] == ["v1"]
    assert new(others, registry) == []
    for one in (registry, slow, quick):
        one.close()


def test_what_was_seen_long_ago_is_not_looked_through_again(registry: Registry) -> None:
    now = 0.0
    others = EventsOfOthers("ours", lambda: now)
    for version in ("v1", "v2", "v3"):
        with registry.transaction() as transaction:
            transaction.events.append([pinned(version)])
        assert [event.version for event in new(others, registry)] == [version]
        now += 20.0
    with registry.transaction() as transaction:
        assert list(transaction.events.by_others("ours", others.floor, (), 10)) == [2, 3]


def test_what_was_read_in_a_transaction_that_failed_is_found_again(registry: Registry) -> None:
    others = EventsOfOthers("ours")
    assert not new(others, registry)
    with registry.transaction() as transaction:
        transaction.events.append([pinned("v1")])
    with suppress(ZeroDivisionError), registry.transaction() as transaction:
        others.read(transaction)
        raise ZeroDivisionError
    assert [event.version for event in new(others, registry)] == ["v1"]


def test_an_older_copy_of_the_database_is_heard_although_its_numbers_are_smaller(tmp_path: Path) -> None:
    now = 0.0
    others = EventsOfOthers("ours", lambda: now)
    registry, copy = (Registry(f"sqlite:///{tmp_path / name}") for name in ("whole.db", "copy.db"))
    with registry.transaction() as transaction:
        transaction.events.append([pinned("v1"), pinned("v2"), pinned("v3")])
    for _ in range(3):
        new(others, registry)
        now += 20.0
    with copy.transaction() as transaction:
        transaction.events.append([pinned("v1")])
    assert [event.version for event in new(others, copy)] == ["v1"]
    with copy.transaction() as transaction:
        transaction.events.append([pinned("v4")])
    assert [event.version for event in new(others, copy)] == ["v4"]
    for one in (registry, copy):
        one.close()


def test_our_own_are_left_out(registry: Registry) -> None:
    others = EventsOfOthers("ours")
    with registry.transaction() as transaction:
        transaction.events.append([pinned("v1"), pinned("v2")], ["ours1", "theirs1"])
    assert [event.version for event in new(others, registry)] == ["v2"]


def new(others: EventsOfOthers, registry: Registry) -> Sequence[Event]:
    with registry.transaction() as transaction:
        look = others.read(transaction)
    return others.take(look)
