"""Daemons that share a store, one of which trains; nothing fails of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loader.artifacts.records import RunRecords
from tests.trainer.simulation import MODELS, TICK_S, WORK_S, Files, Node, World, key_of
from trainer.records.record_names import retry_record
from trainer.records.recorded_runs import RecordedRuns, Retry

MODEL = MODELS[0]
RUN = key_of(MODEL, 0)
A, B = range(2)
SOON_S = 15 + WORK_S + 5


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A and B; A holds the lease, and has trained what the head wants."""
    world = World(0, tmp_path)
    world.trouble_ends, world.is_leased, world.holder = 0.0, True, A
    world.nodes = [Node(world, tmp_path / name) for name in "ab"]
    come(world, world.is_caught_up)
    wait(world, 1)
    return world


def wait(world: World, seconds: float, each: Callable[[], object] = lambda: None) -> None:
    for _ in range(int(seconds / TICK_S)):
        world.tick()
        each()


def come(world: World, holds: Callable[[], bool], seconds: float = 60) -> None:
    ends = world.now + seconds
    while not holds():
        assert world.now < ends
        world.tick()


def attempts(world: World, run: str = RUN) -> int:
    return max((attempt for key, attempt in world.begun if key == run), default=0)


def retry_elsewhere(world: World) -> None:
    """A daemon that doesn't act takes it, and says so in the store."""
    RecordedRuns(RunRecords(Files(world, None))).retry(MODEL, RUN, 1, Retry(by="Ann"))  # type: ignore[arg-type]


def test_a_retry_at_a_daemon_that_does_not_act_is_attempted_by_the_one_that_does(world: World) -> None:
    retry_elsewhere(world)
    come(world, lambda: attempts(world) == 2, SOON_S)
    wait(world, SOON_S)
    result = world.result_of(RUN)
    assert result is not None
    assert (result.attempts, attempts(world)) == (2, 2)
    assert world.settled[RUN][-1] == result


def test_a_retry_at_a_daemon_that_died_is_attempted_by_the_one_that_takes_the_lease_back(world: World) -> None:
    world.holder, world.nodes[B].controller, world.nodes[B].back_at = B, None, float("inf")
    retry_elsewhere(world)
    wait(world, SOON_S)
    assert attempts(world) == 1
    world.holder = A
    come(world, lambda: attempts(world) == 2, TICK_S)


def test_a_revert_to_a_run_that_was_retried_elsewhere_tells_no_other_cause(world: World) -> None:
    world.head[MODEL] = 1
    come(world, world.is_caught_up)
    wait(world, 1)
    retry_elsewhere(world)
    world.head[MODEL] = 0
    come(world, lambda: attempts(world) == 2)
    assert [run.started_by for run in world.opened if run.run == RUN] == ["", ""]
    assert [name for name in world.store if f"/{RUN}/retry" in name] == [
        name for name in world.store if name.endswith(f"/{RUN}/{retry_record(1)}")
    ]


def test_a_store_that_loses_what_runs_leave_makes_no_loop(world: World) -> None:
    world.head[MODEL] = 1
    come(world, world.is_caught_up)
    wait(world, 1)
    world.artifacts.clear()
    world.head[MODEL] = 0
    wait(world, 60, world.artifacts.clear)
    assert attempts(world) == 2
