from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.runs.states import RunState
from pawl.runs.run import Run
from pawl.runs.start import what_there_is

KEY = "0123456789ab"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (RunState.RUNNING, f"run {KEY} of the same code, parameters and data is running already"),
        (RunState.SUCCEEDED, f"it is succeeded; 'pawl runs retry {KEY}' tries it again once what it left is not kept"),
        (RunState.FAILED, f"it is failed; 'pawl runs retry {KEY}' tries it again"),
        (RunState.CANCELLED, f"it is cancelled; 'pawl runs retry {KEY}' tries it again"),
        (RunState.REJECTED, f"'pawl runs accept {KEY}' takes it all the same, and 'pawl runs retry {KEY}' tries"),
    ],
)
def test_who_asks_for_a_run_that_there_is_learns_what_can_be_done(state: RunState, said: str) -> None:
    told = what_there_is(Run(run=KEY, model="Iris", state=state, queued_at=datetime.now(UTC)))
    assert said in told
    assert ("is over, and no other was started" in told) is state.is_terminal
