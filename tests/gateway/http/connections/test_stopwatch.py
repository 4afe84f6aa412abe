from __future__ import annotations

from gateway.http.connections.stopwatch import Stopwatch
from gateway.http.limits import Limits, Phase

LIMITS = Limits(body_s=30, idle_s=75, stalled_s=60)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def stopwatch() -> tuple[Stopwatch, Clock]:
    clock = Clock()
    return Stopwatch(LIMITS, clock), clock


def test_a_connection_runs_out_once_it_has_been_as_it_is_for_longer_than_it_may() -> None:
    watch, clock = stopwatch()
    clock.now += 75
    assert not watch.has_run_out(Phase.IDLE, 0, 0)
    clock.now += 0.1
    assert watch.has_run_out(Phase.IDLE, 0, 0)


def test_whatever_changes_gives_it_time_anew() -> None:
    for change in ((Phase.BODY, 0, 0), (Phase.IDLE, 1, 0), (Phase.IDLE, 0, 5)):
        watch, clock = stopwatch()
        clock.now += 1000
        assert not watch.has_run_out(*change)
        clock.now += 1
        assert not watch.has_run_out(*change)


def test_who_does_not_read_runs_out_whatever_is_waited_for() -> None:
    watch, clock = stopwatch()
    assert not watch.has_run_out(Phase.ANSWER, 1, 0)
    clock.now += 1_000_000
    assert not watch.has_run_out(Phase.ANSWER, 1, 0)
    assert not watch.has_run_out(Phase.ANSWER, 1, 10)
    clock.now += 61
    assert watch.has_run_out(Phase.ANSWER, 1, 10)
