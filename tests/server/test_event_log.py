from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from core.events import Event, EventKind
from server.event_log import KEPT, EventLog


def event(number: int, model: str = "") -> Event:
    return Event(kind=EventKind.LIVE, message=str(number), model=model)


def test_the_newest_come_first_and_a_model_has_its_own() -> None:
    event_log = EventLog()
    for number in range(5):
        event_log.record(event(number, "AB"[number % 2]))
    assert [one.message for one in event_log.newest(most=2)] == ["4", "3"]
    assert [one.message for one in event_log.newest(model="B")] == ["3", "1"]


def test_no_more_are_kept_than_the_bound_and_new_ones_count_more_than_remembered_ones() -> None:
    event_log = EventLog()
    for number in range(KEPT - 1):
        event_log.record(event(number))
    event_log.remember([event(-1), event(-2)])
    newest = event_log.newest(most=2 * KEPT)
    assert len(newest) == KEPT
    assert [one.message for one in newest[-2:]] == ["0", "-1"]


def test_failed_requests_push_nothing_else_out_of_sight() -> None:
    event_log = EventLog()
    event_log.record(event(1, "A"))
    for number in range(2 * KEPT):
        event_log.record(Event(kind=EventKind.REQUEST_FAILED, message=str(number), model="A"))
    newest = event_log.newest(model="A", most=2 * KEPT)
    assert len(newest) == KEPT + 1
    assert newest[-1].message == "1"
    assert [one.kind for one in event_log.newest_of_each_kind("A", 2)] == ["request_failed", "request_failed", "live"]


def test_kinds_come_in_the_order_of_their_happening() -> None:
    event_log = EventLog()
    for number in range(6):
        event_log.record(Event(kind=list(EventKind)[number % 3], message=str(number)))
    event_log.remember([Event(kind=list(EventKind)[number % 3], message=str(number)) for number in (-1, -2, -3)])
    assert [one.message for one in event_log.newest()] == ["5", "4", "3", "2", "1", "0", "-1", "-2", "-3"]


def test_pages_follow_each_other_without_gap_or_repetition_while_events_come() -> None:
    event_log = EventLog()
    for number in range(5):
        event_log.record(event(number))
    first = event_log.newest(most=2)
    event_log.record(event(5))
    assert [one.message for one in event_log.newest(before=first[-1].id, most=2)] == ["2", "1"]


def test_a_page_goes_on_where_its_event_was_if_that_is_gone() -> None:
    event_log, gone = EventLog(), event(0)
    older = Event(kind=EventKind.LIVE, message="older", at=gone.at - timedelta(seconds=1))
    for one in (older, event(2)):
        event_log.record(one)
    assert [one.message for one in event_log.newest(before=gone.id)] == ["older"]


def test_what_was_recorded_before_is_written_down_too_and_once() -> None:
    event_log, written = EventLog(), list[str]()
    event_log.record(event(1))
    event_log.write_to(lambda one: written.append(one.message))
    event_log.record(event(2))
    event_log.remember([event(1)])
    assert written == ["1", "2"]


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
