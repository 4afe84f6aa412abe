from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.manifest.train import Train
from core.runs.states import Reason, RunState
from tests.trainer.pushes import Pushes, come, in_a_loop
from trainer.executor import NotBegun
from trainer.records.open_runs import RunFile
from trainer.specs import Place, SpecMaker


@pytest.fixture
def pushes(tmp_path: Path) -> Pushes:
    return Pushes(tmp_path)


@pytest.mark.parametrize(
    ("train", "message"),
    [({"workers": 2}, "train.workers"), ({"search": {"params": {"depth": {"int": [2, 12]}}}}, "train.search")],
)
def test_what_is_asked_for_and_can_t_be_done_is_refused(tmp_path: Path, train: dict[str, object], message: str) -> None:
    """Else something else would be trained than was asked for."""
    run = RunFile(
        run="0123456789ab",
        model="Iris",
        commit="c" * 40,
        code_key="fedcba987654",
        train=msgspec.convert(train, Train),
        queued_at=0.0,
    )
    make = SpecMaker(Place(data_dir=tmp_path, home=tmp_path), lambda key: tmp_path)
    with pytest.raises(NotBegun) as refused:
        make(run, 1, "")
    assert refused.value.failure.reason is Reason.BAD_CONTRACT
    assert message in str(refused.value)


def test_a_run_whose_code_is_gone_is_lost_and_says_what_to_do(tmp_path: Path) -> None:
    run = RunFile(run="0123456789ab", model="Iris", commit="c" * 40, code_key="fed", train=Train(), queued_at=0.0)
    make = SpecMaker(Place(data_dir=tmp_path, home=tmp_path), tmp_path.joinpath)
    with pytest.raises(NotBegun, match="retry the run") as lost:
        make(run, 1, "")
    assert (lost.value.failure.state, lost.value.failure.heals) == (RunState.LOST, True)


@in_a_loop
async def test_such_a_run_has_failed_and_says_why(pushes: Pushes) -> None:
    pushes.push(train="def train():\n    return 1\n", yaml="train: {workers: 3}")
    async with pushes.following():
        await come(pushes.results)
    [result] = pushes.results()
    assert result.reason is Reason.BAD_CONTRACT
    assert "train.workers" in result.message
