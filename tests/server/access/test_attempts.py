from __future__ import annotations

from server.access.attempts import Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_ten_may_fail_from_an_address_and_then_one_every_six_seconds() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(10):
        assert attempts.wait_s("10.0.0.1") == 0
        attempts.failed("10.0.0.1")
    assert round(attempts.wait_s("10.0.0.1"), 6) == 6.0
    assert attempts.wait_s("10.0.0.2") == 0, "another address"
    clock.now += 6.001
    assert attempts.wait_s("10.0.0.1") == 0


def test_who_has_many_addresses_is_held_back_too() -> None:
    attempts = Attempts(Clock())
    for number in range(100):
        assert attempts.wait_s(f"2001:db8::{number:x}") == 0
        attempts.failed(f"2001:db8::{number:x}")
    assert attempts.wait_s("10.0.0.1") > 0
