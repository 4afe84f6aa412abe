from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainer.turns import Turns


def test_what_is_new_is_asked_now_and_again_after_the_pause() -> None:
    turns = Turns(15)
    assert turns.next("ab", 100) == {"a", "b"}
    assert turns.next("abc", 101) == {"c"}
    assert turns.next("abc", 115) == {"a", "b"}


def test_what_went_and_came_back_is_asked_at_once() -> None:
    turns = Turns(15)
    turns.next("ab", 100)
    turns.next("a", 101)
    assert turns.next("ab", 102) == {"b"}


def test_a_clock_that_was_set_back_holds_up_nothing() -> None:
    turns = Turns(15)
    turns.next("ab", 100)
    assert turns.next("ab", 50) == {"a", "b"}


@given(st.integers(1, 60), st.integers(1, 9), st.floats(0, 3))
def test_so_many_come_at_a_time_and_nobody_is_passed_over(count: int, most: int, every_s: float) -> None:
    turns, keys = Turns(every_s, most), [str(number) for number in range(count)]
    rounds = -(-count // most)
    asked = [turns.next(keys, 100 + look * (every_s / rounds + 1)) for look in range(rounds)]
    assert max(map(len, asked)) <= most
    assert set().union(*asked) == set(keys)
