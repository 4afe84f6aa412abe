"""What is taken from a process, told from the time between two looks at the clock."""

from __future__ import annotations

import pytest

from bench.machine.stalls import lost, measure_stalls


def test_only_long_gaps_between_two_looks_are_stalls() -> None:
    looks = [1.0, 1.0001, 1.0002, 1.0032, 1.0033, 1.0043]
    assert lost(looks) == pytest.approx(0.004)
    assert lost([]) == lost([5.0]) == 0


def test_what_is_measured_is_a_share() -> None:
    assert 0 <= measure_stalls() < 1
