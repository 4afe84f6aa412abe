from __future__ import annotations

from server.access.one_time_code import GOOD_FOR_S, OneTimeCode


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_code_is_good_once() -> None:
    code = OneTimeCode(Clock())
    assert not code.use(f"{code.text}x")
    assert not code.use("")
    assert [code.use(code.text), code.use(code.text)] == [True, False]
    assert code.minutes_left == 0


def test_it_is_good_for_ten_minutes() -> None:
    clock = Clock()
    code = OneTimeCode(clock)
    assert (GOOD_FOR_S, code.minutes_left) == (600.0, 10)
    clock.now += 599.0
    assert code.minutes_left == 1
    clock.now += 1.0
    assert code.minutes_left == 0
    assert not code.use(code.text)
