from __future__ import annotations

from loader.steps import STEPS, StepClock, step_of


def test_stages_are_parts_of_steps_and_a_line_about_what_takes_long_is_none() -> None:
    found = {stage: step_of(stage) for stage in ("checkout", "environment", "memory", "load", "examples")}
    assert found == {
        "checkout": "check_out",
        "environment": "environment",
        "memory": "start",
        "load": "start",
        "examples": "prove",
    }
    assert set(found.values()) < set(STEPS)
    assert step_of("building the environment (pandas)…") is None


def test_seconds_are_told_in_the_order_of_the_steps_with_the_one_in_hand() -> None:
    clock = StepClock()
    assert (clock.step, clock.seconds()) == (None, {})
    for step in ("swap", "environment", "check_out"):
        clock.turn(step)
    assert list(clock.seconds()) == ["check_out", "environment", "swap"]
    assert clock.step == "check_out"
    clock.turn(None)
    assert clock.step is None
    stopped = clock.seconds()
    assert clock.seconds() == stopped
