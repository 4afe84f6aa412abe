from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core.events import Actor, Event, EventKind
from core.steering import Pin
from registry.errors import RegistryUnavailable
from registry.event_filter import EVERYTHING, EventFilter
from registry.event_log import EventLog
from registry.kept_events import KEPT
from registry.registry import Registry
from registry.transaction import Transaction

ADA = Actor(kind="key", name="Ada")


def at(number: int) -> datetime:
    return datetime(2026, 6, 21, 12, tzinfo=UTC) + timedelta(seconds=number)


def event(number: int, model: str = "") -> Event:
    return Event(kind=EventKind.LIVE, message=str(number), model=model)


def test_what_was_recorded_before_the_start_is_written_down_too_once_and_not_remembered_twice(url: str) -> None:
    assert asyncio.run(recorded(url, event(1), event(2))) == []
    assert asyncio.run(recorded(url, event(3))) == ["2", "1"]


async def recorded(url: str, *events: Event) -> list[str]:
    """Record them before the start; what was remembered of earlier runs."""
    registry = Registry(url)
    event_log = EventLog(registry)
    for one in events:
        event_log.record(one)
    event_log.start()
    await asyncio.to_thread(event_log.close, 30)
    await asyncio.sleep(0)  # what the writer handed over comes to its turn
    registry.close()
    return [one.message for one in event_log.kept.newest()][len(events) :]


def pinning(pin: Pin) -> Callable[[Transaction], list[Event]]:
    def act(transaction: Transaction) -> list[Event]:
        transaction.pins.put(pin)
        return [Event(kind=EventKind.PINNED, message="pinned", model=pin.model, actor=Actor(kind="key", name="ada"))]

    return act


def test_an_action_and_the_event_that_tells_of_it_are_there_when_it_is_acknowledged(registry: Registry) -> None:
    event_log = EventLog(registry)
    asyncio.run(event_log.commit(pinning(Pin(model="Iris", release="r"))))
    with registry.transaction() as transaction:
        assert transaction.pins.all().keys() == {"Iris"}
        assert transaction.events.newest(10) == event_log.kept.newest()
    assert [one.actor for one in event_log.kept.newest()] == [Actor(kind="key", name="ada")]


def test_an_action_that_is_refused_in_the_middle_leaves_neither_a_change_nor_an_event(registry: Registry) -> None:
    event_log = EventLog(registry)

    def act(transaction: Transaction) -> list[Event]:
        transaction.pins.put(Pin(model="Iris", release="r"))
        raise Refused

    with pytest.raises(Refused):
        asyncio.run(event_log.commit(act))
    with registry.transaction() as transaction:
        assert (transaction.pins.all(), transaction.events.newest(10)) == ({}, [])
    assert event_log.kept.newest() == []


def test_an_action_whose_asker_went_away_is_done_and_told(registry: Registry) -> None:
    event_log = EventLog(registry)
    asyncio.run(go_away_while_it_is_done(event_log))
    assert [one.kind for one in event_log.kept.newest()] == [EventKind.PINNED]
    with registry.transaction() as transaction:
        assert transaction.pins.all().keys() == {"Iris"}


async def go_away_while_it_is_done(event_log: EventLog) -> None:
    began, may_end, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def act(transaction: Transaction) -> list[Event]:
        loop.call_soon_threadsafe(began.set)
        assert may_end.wait(100)
        return pinning(Pin(model="Iris", release="r"))(transaction)

    asking = asyncio.create_task(event_log.commit(act))
    await began.wait()
    asking.cancel()
    await asyncio.wait([asking])
    may_end.set()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


def test_an_action_without_a_database_is_refused_and_not_told_as_done() -> None:
    registry = Registry("sqlite:////nowhere/at/all/registry.db")
    event_log = EventLog(registry)
    with pytest.raises(RegistryUnavailable, match="unable to open database file"):
        asyncio.run(event_log.commit(pinning(Pin(model="Iris", release="r"))))
    assert event_log.kept.newest() == []


class Refused(Exception):
    """What an action finds out while it acts."""


def test_failures_are_errors_in_the_log_with_their_detail(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pawl"):
        EventLog().record(Event(kind=EventKind.FAILED, message="no", model="Iris", detail="line 1\nline 2"))
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "Iris: no\n    line 1\n    line 2"


def test_a_message_can_neither_forge_lines_of_the_log_nor_steer_a_terminal(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pawl"):
        message = "ValueError: no species 'x\n12:00:00 ERROR it is all lost\x1b[2J'"
        EventLog().record(Event(kind=EventKind.REQUEST_FAILED, model="Iris", message=message, detail="a\x1b[2J\n"))
    assert caplog.messages == [
        "Iris: ValueError: no species 'x\n    12:00:00 ERROR it is all lost\N{REPLACEMENT CHARACTER}[2J'\n"
        "    a\N{REPLACEMENT CHARACTER}[2J"
    ]


def listed(event_log: EventLog, chosen: EventFilter = EVERYTHING, most: int = 700) -> list[Event]:
    """All of them, page by page."""

    async def pages() -> list[Event]:
        found: list[Event] = []
        while page := await event_log.listed(chosen, before=found[-1].id if found else None, most=most):
            found += page
        return found

    return asyncio.run(pages())


def test_what_is_not_kept_in_memory_any_more_is_listed_from_the_database(registry: Registry) -> None:
    event_log = EventLog(registry)
    events = [
        Event(kind=EventKind.LIVE, message=str(number), at=at(number), version=f"v{number}")
        for number in range(KEPT + 500)
    ]
    others = [Event(kind=EventKind.PINNED, message="a", at=at(number), actor=ADA, model="A") for number in (5, 1400)]
    with registry.transaction() as transaction:
        transaction.events.append([*events, *others])
    everything = sorted([*events, *others], key=lambda one: one.id, reverse=True)
    event_log.kept.remember(everything)
    assert listed(event_log) == everything
    assert listed(event_log, EventFilter(model="A")) == others[::-1]
    assert listed(event_log, EventFilter(kind="live", since=at(3))) == [one for one in everything if one in events[3:]]
    assert listed(event_log, EventFilter(actor="Ada")) == listed(event_log, EventFilter(actor="key")) == others[::-1]
    assert listed(event_log, EventFilter(actor="pawl")) == events[::-1]
    assert listed(event_log, EventFilter(actor="Bob")) == []
