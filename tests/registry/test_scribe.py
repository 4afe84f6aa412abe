from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import pytest

from core.events import Event, EventKind
from registry.journal import Journal
from registry.scribe import Scribe


def test_what_was_written_before_a_close_is_there_afterwards_and_remembered_by_the_next(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    events = [Event(kind=EventKind.LIVE, message=f"event {number}") for number in range(500)]
    first = Scribe(url, lambda earlier: None, most=10)
    first.start()
    for event in events:
        first.write(event)
    first.close(timeout_s=30)

    remembered: list[Event] = []
    came = threading.Event()

    def take(earlier: list[Event]) -> None:
        remembered.extend(earlier)
        came.set()

    second = Scribe(url, take, most=10)
    second.start()
    assert came.wait(30)
    second.close(timeout_s=30)
    assert remembered == events[:-11:-1]


def test_a_database_that_comes_late_gets_what_was_recorded_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    url = f"sqlite:///{folder / 'registry.db'}"
    scribe = Scribe(url, lambda earlier: None, most=10)
    scribe.start()
    scribe.write(Event(kind=EventKind.LIVE, message="early"))
    folder.mkdir()
    scribe.close(timeout_s=30)
    journal = Journal(url)
    assert [event.message for event in journal.newest(10)] == ["early"]
    journal.close()


def test_a_close_does_not_wait_for_a_database_that_has_been_gone_for_long(tmp_path: Path) -> None:
    scribe = Scribe(f"sqlite:///{tmp_path / 'gone' / 'registry.db'}", lambda earlier: None, most=10)
    scribe.start()
    logging.disable()
    try:
        for number in range(10_100):
            scribe.write(Event(kind=EventKind.LIVE, message=f"event {number}"))
    finally:
        logging.disable(logging.NOTSET)
    closing = threading.Thread(target=scribe.close, args=(1.0,), daemon=True)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()


def test_a_failure_that_nobody_foresaw_is_not_repeated_without_a_pause(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scribe = Scribe("mysql://host/name", lambda earlier: None, most=10)  # whose driver is not installed
    scribe.start()
    while not caplog.records:
        time.sleep(0.01)
    scribe.close(timeout_s=20)
    assert len(caplog.records) <= 2


def test_a_database_that_is_gone_is_told_once_and_once_that_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "late"
    with caplog.at_level(logging.INFO, "pawl"):
        scribe = Scribe(f"sqlite:///{folder / 'registry.db'}", lambda earlier: None, most=10, pause_s=0.01)
        scribe.start()
        scribe.write(Event(kind=EventKind.LIVE, message="early"))
        while not caplog.records:
            time.sleep(0.01)
        time.sleep(0.2)  # in which there are tries
        folder.mkdir()
        while len(caplog.records) < 2:
            time.sleep(0.01)
        scribe.close(timeout_s=30)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert caplog.messages[0].endswith("; trying again every 0.01 s")
    assert caplog.messages[1] == "events are written down again"
