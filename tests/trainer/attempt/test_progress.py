from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from core.runs.states import RunState
from trainer.attempt.progress import MOST_POINTS, Progress, read_curve, read_reached


def test_a_curve_is_read_back(tmp_path: Path) -> None:
    clock = iter(range(0, 100, 5))
    progress = Progress(tmp_path, now=lambda: float(next(clock)))
    progress.reach(RunState.RUNNING)
    progress.report(1, 3, {"loss": 0.5})
    progress.report(2, 3, {"loss": None})
    assert [(point.step, point.scores) for point in read_curve(tmp_path)] == [(1, {"loss": 0.5}), (2, {"loss": None})]
    reached = read_reached(tmp_path)
    assert reached is not None
    assert (reached.state, reached.step, reached.total) == (RunState.RUNNING, 2, 3)


def test_a_curve_of_any_length_stays_small_and_goes_over_all_of_it(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    for step in range(20 * MOST_POINTS):
        progress.report(step, None, {"loss": 1.0})
    curve = [point.step for point in read_curve(tmp_path)]
    assert MOST_POINTS / 2 <= len(curve) <= MOST_POINTS
    strides = {later - earlier for earlier, later in pairwise(curve)}
    assert len(strides) == 1
    assert curve[0] == 0
    assert curve[-1] >= 20 * MOST_POINTS - 2 * strides.pop()


def test_nothing_is_known_before_it_began(tmp_path: Path) -> None:
    assert read_reached(tmp_path) is None
    assert read_curve(tmp_path) == []
