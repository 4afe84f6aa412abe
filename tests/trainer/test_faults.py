from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from core.runs.runs import AttemptResult
from core.runs.states import RunState
from loader.artifacts.slugs import slug
from tests.trainer.simulation import TICK_S, World
from trainer.records.record_names import attempt_record

SCHEDULES = int(os.environ.get("TRAINER_SCHEDULES", "50"))
MOST_DRAWN = 200
"""One in twelve schedules supersedes an attempt: by then at least one has."""
CATCH_UP_S = 5.0
"""After recovery, apart from the work itself."""


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_whatever_fails_each_wanted_run_has_one_result(seed: int, tmp_path: Path) -> None:
    world = World(seed, tmp_path)
    world.run()
    catch_up(world)
    for run in world.wanted():
        result = world.result_of(run.run)
        assert result is not None
        assert result.state in (RunState.SUCCEEDED, RunState.REJECTED)
        assert result.artifact in world.artifacts, "an artifact is stored before the record that names it"
        record = world.store[f"runs/{slug(run.model)}/{run.run}/{attempt_record(result.attempts)}"]
        assert msgspec.json.decode(record, type=AttemptResult).artifact == result.artifact
    for key, told in world.settled.items():
        assert all(one == world.result_of(key) for one in told), "everyone is told the same"


def catch_up(world: World) -> None:
    """Only work takes time, and the pause before what was lost is tried again: for so long and no longer nothing is
    done besides for what is wanted and not there yet."""
    idle_s = 0.0
    while not world.is_caught_up():
        world.tick()
        idle_s += TICK_S if world.has_recovered() and not (world.is_at_work() or world.is_pausing()) else 0
        assert idle_s <= CATCH_UP_S, f"nothing was done for {idle_s} s after recovery"
    for _ in range(int(CATCH_UP_S / TICK_S)):
        world.tick()


def test_schedules_hold_faults_of_every_kind(tmp_path: Path) -> None:
    """What is drawn is worth drawing: attempts are lost, given up and superseded, which is the rarest."""
    wanted, states = {RunState.SUCCEEDED, RunState.LOST, RunState.SUPERSEDED}, set[RunState]()
    for seed in range(MOST_DRAWN):
        world = World(seed, tmp_path / str(seed))
        world.run()
        records = [content for name, content in world.store.items() if is_attempt(name)]
        states |= {msgspec.json.decode(content, type=AttemptResult).state for content in records}
        if states >= wanted:
            break
    assert states >= wanted


def is_attempt(name: str) -> bool:
    return any(name.endswith(f"/{attempt_record(number)}") for number in range(1, 100))
