from __future__ import annotations

import logging
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core.events import Event, EventKind
from registry.event_writer import EventWriter
from registry.registry import Registry
from tests.postgres import USER, Postgres
from tests.registry.proxies import proxy_of


def test_what_was_written_before_a_close_is_there_afterwards_and_remembered_by_the_next(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    events = [Event(kind=EventKind.LIVE, message=f"event {number}") for number in range(500)]
    first = writer(url)
    first.start()
    for event in events:
        first.write(event)
    first.close(timeout_s=30)

    remembered: list[Event] = []
    came = threading.Event()

    def take(earlier: list[Event]) -> None:
        remembered.extend(earlier)
        came.set()

    second = EventWriter(Registry(url), take, most=10)
    second.start()
    assert came.wait(100)
    second.close(timeout_s=30)
    assert remembered == events[:-11:-1]


def test_a_database_that_comes_late_gets_what_was_recorded_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    url = f"sqlite:///{folder / 'registry.db'}"
    event_writer = writer(url)
    event_writer.start()
    event_writer.write(Event(kind=EventKind.LIVE, message="early"))
    folder.mkdir()
    event_writer.close(timeout_s=30)
    assert written(url) == ["early"]


def test_a_close_does_not_wait_for_a_database_that_has_been_gone_for_long(tmp_path: Path) -> None:
    event_writer = writer(f"sqlite:///{tmp_path / 'gone' / 'registry.db'}")
    event_writer.start()
    logging.disable()
    try:
        for number in range(10_100):
            event_writer.write(Event(kind=EventKind.LIVE, message=f"event {number}"))
    finally:
        logging.disable(logging.NOTSET)
    closing = threading.Thread(target=event_writer.close, args=(1.0,), daemon=True)
    closing.start()
    closing.join(100)
    assert not closing.is_alive()


def test_a_failure_that_nobody_foresaw_is_not_repeated_without_a_pause() -> None:
    url, pause_s = "mysql://host/name", 0.1  # whose driver is not installed
    with said() as records:
        event_writer = writer(url, pause_s=pause_s)
        event_writer.start()
        first, second = (records.get(timeout=100) for _ in range(2))
        event_writer.close(timeout_s=20)
    assert second.created - first.created > pause_s / 2


def test_a_database_that_is_gone_is_told_once_however_often_it_is_tried(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        url = f"postgresql+psycopg://127.0.0.1:{server.getsockname()[1]}/registry?sslmode=disable&gssencmode=disable"
        event_writer = writer(url, pause_s=0.01)
        event_writer.start()
        for _ in range(4):  # after the fourth call, three have failed
            server.accept()[0].close()
        assert len(caplog.records) == 1
        assert caplog.messages[0].endswith("; trying again every 0.01 s")
    event_writer.close(timeout_s=30)


def test_a_database_that_is_back_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    with said() as records:
        event_writer = writer(f"sqlite:///{folder / 'registry.db'}", pause_s=0.01)
        event_writer.start()
        event_writer.write(Event(kind=EventKind.LIVE, message="early"))
        assert records.get(timeout=100).levelname == "ERROR"
        folder.mkdir()
        back = records.get(timeout=100)
        assert (back.levelname, back.getMessage()) == ("INFO", "events are written down again")
        event_writer.close(timeout_s=30)
        assert records.empty()


def test_an_event_whose_commit_was_not_answered_is_there_once(postgres: Postgres) -> None:
    remembered = threading.Event()
    with TemporaryDirectory(prefix="pawl-", dir="/tmp") as folder, proxy_of(postgres.folder, Path(folder)) as proxy:
        registry = Registry(f"postgresql://{USER}@/postgres?host={folder}", pause_s=0.01)
        event_writer = EventWriter(registry, lambda earlier: remembered.set(), most=10)
        event_writer.start()
        assert remembered.wait(100)
        proxy.armed.set()
        event_writer.write(Event(kind=EventKind.LIVE, message="once"))
        assert proxy.has_cut.wait(100)
        event_writer.write(Event(kind=EventKind.LIVE, message="next"))
        event_writer.close(timeout_s=30)
        registry.close()
    assert written(postgres.url) == ["next", "once"]


def writer(url: str, *, pause_s: float = 2.0) -> EventWriter:
    return EventWriter(Registry(url, pause_s=pause_s), lambda earlier: None, most=10)


def written(url: str) -> list[str]:
    registry = Registry(url)
    with registry.transaction() as transaction:
        found = [event.message for event in transaction.events.newest(10)]
    registry.close()
    return found


@contextmanager
def said() -> Iterator[queue.Queue[logging.LogRecord]]:
    """What the registry logs, as it comes."""
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    log, handler = logging.getLogger("pawl.registry"), QueueHandler(records)
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield records
    finally:
        log.setLevel(before)
        log.removeHandler(handler)
