from __future__ import annotations

from core.events import Event, EventKind
from core.release import Snapshot
from loader.known_source import KnownSource

ONE, TWO = "1" * 40, "2" * 40


def state() -> tuple[KnownSource, list[Event]]:
    events: list[Event] = []
    return KnownSource("the repository", events.append), events


def test_that_it_can_not_be_read_is_told_once_for_each_reason_and_that_it_can_again() -> None:
    found, events = state()
    for problem in ("no network", "no network", "no such branch"):
        found.lost(problem, "what is live stays live")
    assert (found.problem, found.seen_at) == ("no such branch", None)
    found.saw(Snapshot(ONE, {}, {}), 0.1)
    assert [(event.kind, event.message) for event in events] == [
        (EventKind.SOURCE_LOST, "no network (what is live stays live)"),
        (EventKind.SOURCE_LOST, "no such branch (what is live stays live)"),
        (EventKind.SOURCE_BACK, "the repository can be read, and has models"),
    ]
    assert found.problem is None
    assert found.seen_at is not None


def test_a_head_that_moved_is_noticed_and_a_history_that_was_rewritten_told_once() -> None:
    found, events = state()
    assert found.saw(Snapshot(ONE, {}, {}), 0.1)
    assert not found.saw(Snapshot(ONE, {}, {}), 0.1)
    assert found.saw(Snapshot(TWO, {}, {}, left_behind=ONE), 0.1)
    assert not found.saw(Snapshot(TWO, {}, {}, left_behind=ONE), 0.1)
    assert [event.kind for event in events] == [EventKind.HISTORY_REWRITTEN]
    assert (found.head, events[0].commit) == (TWO, TWO)


def test_what_is_left_out_is_told_when_the_reason_is_new() -> None:
    found, events = state()
    for reason in ("taken", "taken", "odd"):
        found.saw(Snapshot(ONE, {}, {"docs": reason}), 0.1)
    assert [event.message for event in events] == ["docs is left out: taken", "docs is left out: odd"]
