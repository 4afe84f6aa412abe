from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.traffic.resolution import COARSEST, FINEST, RESOLUTIONS
from server.traffic.history.steps import MOST_STEPS, choose_steps, fitting_start

DAY_S, HOUR_S = 86_400, 3600
MIDNIGHT_S = 20_000 * DAY_S
NOW_S = MIDNIGHT_S + 13 * HOUR_S + 100


@settings(max_examples=200)
@given(
    st.floats(0, 500 * DAY_S),
    st.floats(0, 500 * DAY_S),
    st.none() | st.integers(1, 40 * DAY_S),
)
def test_all_that_was_asked_for_is_in_the_steps(back: float, length: float, step_s: int | None) -> None:
    begins, ends = NOW_S - back, NOW_S - back + length
    steps = choose_steps(begins, ends, step_s, NOW_S)
    assert steps.from_s <= begins
    assert steps.to_s >= ends
    assert steps.step_s % steps.resolution.step_s == 0
    assert steps.from_s % steps.resolution.step_s == steps.to_s % steps.resolution.step_s == 0
    assert steps.step_s >= (step_s or 0)
    assert steps.count <= MOST_STEPS + 2
    assert all(0 <= steps.index(at) < steps.count for at in (steps.from_s, steps.to_s - 1) if steps.count)


def test_minutes_are_read_where_a_step_or_an_end_cuts_anything_longer() -> None:
    assert choose_steps(NOW_S - HOUR_S, NOW_S, None, NOW_S).resolution is FINEST
    half_past = MIDNIGHT_S + 30 * 60
    assert choose_steps(half_past, half_past + HOUR_S, HOUR_S, NOW_S).resolution is RESOLUTIONS[1]
    assert choose_steps(half_past + 60, half_past + HOUR_S + 60, HOUR_S, NOW_S).resolution is FINEST
    assert choose_steps(MIDNIGHT_S - DAY_S, MIDNIGHT_S, DAY_S, NOW_S).resolution is COARSEST


def test_a_stretch_that_begins_where_its_steps_do_is_read_in_buckets_of_their_length() -> None:
    now = datetime.fromtimestamp(NOW_S, UTC)
    for days, resolution in ((1, RESOLUTIONS[1]), (7, RESOLUTIONS[2]), (30, COARSEST), (365, COARSEST)):
        begins = fitting_start(now - timedelta(days=days), now)
        assert now - begins >= timedelta(days=days)
        assert choose_steps(begins.timestamp(), NOW_S, None, NOW_S).resolution is resolution


def test_of_what_is_long_past_only_longer_buckets_are_left() -> None:
    steps = choose_steps(MIDNIGHT_S - 30 * DAY_S + 60, MIDNIGHT_S - 29 * DAY_S, 60, NOW_S)
    assert (steps.resolution, steps.step_s, steps.from_s) == (RESOLUTIONS[2], HOUR_S, MIDNIGHT_S - 30 * DAY_S)
    assert choose_steps(MIDNIGHT_S - 300 * DAY_S, MIDNIGHT_S, 60, NOW_S).step_s == DAY_S


def test_a_step_that_nobody_chose_suits_the_length() -> None:
    lengths = (HOUR_S, DAY_S, 14 * DAY_S, 365 * DAY_S)
    chosen = [choose_steps(NOW_S - length, NOW_S, None, NOW_S).step_s for length in lengths]
    assert chosen == [60, 900, HOUR_S, DAY_S]
