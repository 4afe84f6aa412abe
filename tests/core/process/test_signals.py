from __future__ import annotations

import signal

import pytest

from core.process.signals import signal_name


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGRTMIN + 3, f"signal {signal.SIGRTMIN + 3}")]
)
def test_a_signal_is_called_as_people_know_it(number: int, name: str) -> None:
    assert signal_name(number) == name
