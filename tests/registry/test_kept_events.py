from __future__ import annotations

from datetime import timedelta

from core.events import Event, EventKind
from registry.event_filter import EventFilter
from registry.kept_events import KEPT, KeptEvents


def event(number: int, model: str = "") -> Event:
    return Event(kind=EventKind.LIVE, message=str(number), model=model)


def test_the_newest_come_first_and_a_model_has_its_own() -> None:
    kept = KeptEvents()
    for number in range(5):
        kept.add(event(number, "AB"[number % 2]))
    assert [one.message for one in kept.newest(most=2)] == ["4", "3"]
    assert [one.message for one in kept.newest(EventFilter(model="B"))] == ["3", "1"]


def test_no_more_are_kept_than_the_bound_and_new_ones_count_more_than_remembered_ones() -> None:
    kept = KeptEvents()
    for number in range(KEPT - 1):
        kept.add(event(number))
    kept.remember([event(-1), event(-2)])
    newest = kept.newest(most=2 * KEPT)
    assert len(newest) == KEPT
    assert [one.message for one in newest[-2:]] == ["0", "-1"]


def test_failed_requests_push_nothing_else_out_of_sight() -> None:
    kept = KeptEvents()
    kept.add(event(1, "A"))
    for number in range(2 * KEPT):
        kept.add(Event(kind=EventKind.REQUEST_FAILED, message=str(number), model="A"))
    newest = kept.newest(EventFilter(model="A"), most=2 * KEPT)
    assert len(newest) == KEPT + 1
    assert newest[-1].message == "1"
    of_each = kept.newest_of_each_kind("A", 2)
    assert [one.kind for one in of_each] == ["request_failed", "request_failed", "live"]


def test_kinds_come_in_the_order_of_their_happening() -> None:
    kept = KeptEvents()
    for number in range(6):
        kept.add(Event(kind=list(EventKind)[number % 3], message=str(number)))
    kept.remember([Event(kind=list(EventKind)[number % 3], message=str(number)) for number in (-1, -2, -3)])
    assert [one.message for one in kept.newest()] == ["5", "4", "3", "2", "1", "0", "-1", "-2", "-3"]


def test_pages_follow_each_other_without_gap_or_repetition_while_events_come() -> None:
    kept = KeptEvents()
    for number in range(5):
        kept.add(event(number))
    first = kept.newest(most=2)
    kept.add(event(5))
    assert [one.message for one in kept.newest(before=first[-1].id, most=2)] == ["2", "1"]


def test_a_page_goes_on_where_its_event_was_if_that_is_gone() -> None:
    kept, gone = KeptEvents(), event(0)
    older = Event(kind=EventKind.LIVE, message="older", at=gone.at - timedelta(seconds=1))
    for one in (older, event(2)):
        kept.add(one)
    assert [one.message for one in kept.newest(before=gone.id)] == ["older"]
