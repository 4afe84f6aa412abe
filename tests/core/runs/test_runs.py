from __future__ import annotations

from core.runs.runs import run_key
from core.runs.states import RunState


def test_the_same_sight_gives_the_same_run_key() -> None:
    assert run_key("c" * 12, "d", "v") == run_key("c" * 12, "d", "v")
    assert len(run_key("c" * 12, "", "")) == 12


def test_code_data_and_what_was_asked_for_each_make_another_run() -> None:
    keys = {
        run_key("c", "d", "v"),
        run_key("C", "d", "v"),
        run_key("c", "D", "v"),
        run_key("c", "d", "V"),
        run_key("cd", "", "v"),
        run_key("c", "d", "v", {"depth": 1}),
    }
    assert len(keys) == 6


def test_a_run_that_is_asked_for_with_the_same_params_in_another_order_is_the_same() -> None:
    assert run_key("c", "d", "v", {"a": 1, "b": 2}) == run_key("c", "d", "v", {"b": 2, "a": 1})


def test_a_superseded_run_may_run_again() -> None:
    assert not RunState.SUPERSEDED.is_terminal
    assert RunState.LOST.is_terminal
