"""One suite over every database: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from core.events import Event, EventKind
from registry.event_table import KEPT, EventTable, RegistryUnavailable
from tests.postgres import find_programs, running_postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: on Debian and Ubuntu, apt-get install postgresql")
    with running_postgres(programs) as postgres:
        yield postgres.url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'registry.db'}"
        return
    address: str = request.getfixturevalue("postgres")
    yield address
    event_table = EventTable(address)
    event_table.forget_everything()
    event_table.close()


@pytest.fixture
def event_table(url: str) -> Iterator[EventTable]:
    opened = EventTable(url)
    yield opened
    opened.close()


def event(number: int, model: str = "M") -> Event:
    return Event(kind=EventKind.FAILED, message=f"event {number}", model=model, version="v1", commit="c", detail="d\n")


def test_events_come_back_as_they_went_in_newest_first(event_table: EventTable) -> None:
    events = [event(number) for number in range(3)]
    event_table.append(events)
    assert event_table.newest(2) == [events[2], events[1]]


def test_events_outlast_the_process(url: str) -> None:
    first = EventTable(url)
    written = event(1)
    first.append([written])
    first.close()
    second = EventTable(url)
    assert second.newest(10) == [written]
    second.close()


def test_events_of_one_model_can_be_asked_for(event_table: EventTable) -> None:
    event_table.append([event(1, "A"), event(2, "B")])
    assert [found.message for found in event_table.newest(10, "A")] == ["event 1"]


def test_failed_requests_push_nothing_else_out(event_table: EventTable) -> None:
    event_table.append([event(0)])
    failed = Event(kind=EventKind.REQUEST_FAILED, message="no", model="M")
    for _ in range(3):
        event_table.append([failed] * (KEPT // 2))
    found = event_table.newest(2 * KEPT)
    assert [one.kind for one in found].count(EventKind.REQUEST_FAILED) == KEPT
    assert found[-1].message == "event 0"
    assert [one.kind for one in event_table.newest(1)] == [EventKind.REQUEST_FAILED, EventKind.FAILED]


def test_events_of_a_kind_that_only_a_newer_pawl_knows_are_left_alone(url: str) -> None:
    opened = EventTable(url)
    opened.append([event(1)])
    opened.close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE events SET kind = 'uploaded'"))
    engine.dispose()
    opened = EventTable(url)
    opened.append([event(2)])
    assert [found.message for found in opened.newest(10)] == ["event 2"]
    opened.close()


def test_what_no_database_can_hold_is_written_all_the_same(event_table: EventTable) -> None:
    event_table.append([Event(kind=EventKind.FAILED, message="a\0b\ud800", detail="x" * 1_000_000)])
    [found] = event_table.newest(1)
    assert found.message == "a\N{REPLACEMENT CHARACTER}b?"
    assert len(found.detail) == 50_000


def test_a_database_that_is_not_there_is_an_error_of_ours_without_the_password() -> None:
    with pytest.raises(RegistryUnavailable) as caught:
        EventTable("postgresql://user:hush-hush@127.0.0.1:1/none?connect_timeout=2")
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://user:hush@hash@127.0.0.1:1/none", "postgresql://user:hu:sh@h:hush/none"])
def test_a_password_that_is_not_encoded_is_in_no_error(url: str) -> None:
    with pytest.raises(RegistryUnavailable) as caught:
        EventTable(url + "?connect_timeout=2")
    assert "hush" not in str(caught.value)
