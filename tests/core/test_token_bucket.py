from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.token_bucket import TokenBucket


def test_it_holds_what_one_second_brings_and_then_says_how_long_to_wait() -> None:
    bucket = TokenBucket(2.0, now=100.0)
    assert [bucket.take(100.0), bucket.take(100.0)] == [0.0, 0.0]
    assert bucket.take(100.0) == pytest.approx(0.5)
    assert bucket.take(100.4) == pytest.approx(0.1)
    assert bucket.take(100.5) == 0.0


def test_a_slow_one_lets_one_through_at_once() -> None:
    bucket = TokenBucket(0.1, now=0.0)
    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) == pytest.approx(10.0)
    assert bucket.take(10.0) == 0.0


def test_a_rest_fills_it_no_further_than_to_the_brim() -> None:
    bucket = TokenBucket(3.0, now=0.0)
    assert [bucket.take(1e9) == 0.0 for _ in range(4)] == [True, True, True, False]


def test_to_ask_how_long_it_takes_takes_nothing() -> None:
    bucket = TokenBucket(1.0, now=0.0)
    assert [bucket.wait_s(0.0), bucket.wait_s(0.0), bucket.take(0.0)] == [0.0, 0.0, 0.0]
    assert bucket.wait_s(0.25) == pytest.approx(0.75)


@given(rate=st.floats(0.1, 1000), steps=st.lists(st.floats(0, 10), max_size=200))
def test_over_any_time_no_more_pass_than_the_rate_and_one_burst(rate: float, steps: list[float]) -> None:
    bucket, now, passed = TokenBucket(rate, now=0.0), 0.0, 0
    for step in steps:
        now += step
        passed += bucket.take(now) == 0.0
    assert passed <= bucket.burst + rate * now + 1e-6 * len(steps)
