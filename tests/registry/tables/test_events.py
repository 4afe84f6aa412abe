from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import create_engine, text

from core.events import AUDIT, Actor, Event, EventKind
from registry.registry import Registry
from registry.tables.events import KEPT

ADA = Actor(kind="key", name="ada", address="10.0.0.1")


def event(number: int, model: str = "M") -> Event:
    return Event(kind=EventKind.FAILED, message=f"event {number}", model=model, version="v1", commit="c", detail="d\n")


def pinned(**more: object) -> Event:
    return Event(kind=EventKind.PINNED, message="pinned", model="M", actor=ADA, reason="it works", action="a1", **more)  # type: ignore[arg-type]


def write(registry: Registry, *events: Event) -> None:
    with registry.transaction() as transaction:
        transaction.events.append(events)


def newest(registry: Registry, most: int = 10, model: str | None = None) -> list[Event]:
    with registry.transaction() as transaction:
        return transaction.events.newest(most, model)


def test_events_come_back_as_they_went_in_newest_first(registry: Registry) -> None:
    events = [event(0), event(1), pinned(), event(2)]
    write(registry, *events)
    assert newest(registry, 2) == [events[3], events[2], events[1]]


def test_events_outlast_the_process(url: str) -> None:
    written = event(1)
    for registry in (Registry(url), Registry(url)):
        write(registry, written)
        found = newest(registry)
        registry.close()
    assert found == [written, written]


def test_events_of_one_model_can_be_asked_for(registry: Registry) -> None:
    write(registry, event(1, "A"), event(2, "B"))
    assert [found.message for found in newest(registry, model="A")] == ["event 1"]


def test_an_event_that_is_written_twice_for_want_of_an_answer_is_there_once(registry: Registry) -> None:
    for events, keys in (([event(1), event(2)], ["1", "2"]), ([event(2), event(3)], ["2", "3"])):
        with registry.transaction() as transaction:
            transaction.events.append(events, keys)
    assert [found.message for found in newest(registry)] == ["event 3", "event 2", "event 1"]


def test_a_hundred_thousand_failed_requests_push_out_nothing_that_people_did(url: str, registry: Registry) -> None:
    write(registry, event(0), *(Event(kind=kind, message="by hand", model="M", actor=ADA) for kind in sorted(AUDIT)))
    failed = Event(kind=EventKind.REQUEST_FAILED, message="no", model="M")
    write(registry, *[failed] * 1_000)
    columns = 'at, kind, model, version, "commit", message, detail'
    times = "WITH RECURSIVE times(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM times WHERE n < 99)"
    copied = f"SELECT {columns} FROM events, times WHERE kind = 'request_failed'"
    change(url, f"{times} INSERT INTO events ({columns}) {copied}")
    write(registry, failed)
    found = [one.kind for one in newest(registry, 200_000)]
    assert found.count(EventKind.REQUEST_FAILED) == KEPT
    assert set(found) == {EventKind.REQUEST_FAILED, EventKind.FAILED, *AUDIT}


def test_what_people_did_is_kept_beyond_the_bound_of_what_happens_by_itself(registry: Registry) -> None:
    write(registry, *[pinned()] * (KEPT + 10))
    assert len(newest(registry, 2 * KEPT)) == KEPT + 10


def test_what_people_did_is_forgotten_after_its_days(url: str, registry: Registry) -> None:
    now = datetime.now(UTC)
    old, young = pinned(at=now - timedelta(days=8)), pinned(at=now - timedelta(days=6))
    by_itself = Event(kind=EventKind.LIVE, message="long ago", at=now - timedelta(days=8))
    write(registry, by_itself, old, young)
    assert newest(registry) == [young, old, by_itself]
    latest = pinned()
    of_a_week = Registry(url, audit_days=7)
    write(of_a_week, latest)
    of_a_week.close()
    assert newest(registry) == [latest, young, by_itself]


def test_what_people_did_is_counted_apart_from_events_of_its_kind_that_happen_by_themselves(registry: Registry) -> None:
    by_hand = Event(kind=EventKind.RUN_QUEUED, message="asked for", actor=ADA)
    write(registry, by_hand, *[Event(kind=EventKind.RUN_QUEUED, message="by itself")] * (KEPT + 10))
    assert newest(registry, 2 * KEPT)[-1] == by_hand
    assert len(newest(registry, 2 * KEPT)) == KEPT + 1


def test_events_of_a_kind_that_only_a_newer_pawl_knows_are_left_alone(url: str, registry: Registry) -> None:
    write(registry, event(1))
    change(url, "UPDATE events SET kind = 'foreseen'")
    write(registry, event(2))
    assert [found.message for found in newest(registry)] == ["event 2"]


def change(url: str, statement: str) -> None:
    """As another program."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_what_no_database_can_hold_is_written_all_the_same(registry: Registry) -> None:
    write(registry, Event(kind=EventKind.FAILED, message="a\0b\ud800", detail="x" * 1_000_000))
    [found] = newest(registry, 1)
    assert found.message == "a\N{REPLACEMENT CHARACTER}b?"
    assert len(found.detail) == 50_000
