from __future__ import annotations

from itertools import islice

from trainer.attempt.child import pauses


def test_a_run_is_looked_at_often_at_first_and_then_four_times_a_second() -> None:
    assert list(islice(pauses(), 6)) == [0.02, 0.04, 0.08, 0.16, 0.25, 0.25]
