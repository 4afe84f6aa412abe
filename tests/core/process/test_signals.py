from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from core.process.signals import signal_name
from tests.serving import ROOT

SHOWS = "from core.process.signals import ending_signals; print(*[number.name for number in ending_signals()])"


@pytest.mark.parametrize(("by", "shown"), [([], "SIGTERM SIGHUP\n"), (["nohup"], "SIGTERM\n")])
def test_a_process_that_nohup_starts_is_not_ended_by_sighup(by: list[str], shown: str) -> None:
    done = subprocess.run([*by, sys.executable, "-c", SHOWS], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == shown


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGRTMIN + 3, f"signal {signal.SIGRTMIN + 3}")]
)
def test_a_signal_is_called_as_people_know_it(number: int, name: str) -> None:
    assert signal_name(number) == name
