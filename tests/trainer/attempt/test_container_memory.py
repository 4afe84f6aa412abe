"""When a run leaves its container, before the kernel ends all that is in there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.manifest.train import Train
from core.process.resources import Memory
from core.runs.states import Reason
from loader.workers.memory_guard import FULL
from trainer.attempt.child import Ended
from trainer.attempt.container_memory import SHARED_FULL, ContainerMemory
from trainer.attempt.outcomes import failure_of

MB, GB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("is_own", "limit", "used", "is_nearly_full"),
    [
        (True, 2000 * MB, 1899 * MB, False),
        (True, 2000 * MB, 1901 * MB, True),
        (True, 100 * GB, 99 * GB, False),
        (True, 100 * GB, 100 * GB - 255 * MB, True),
        (False, 2000 * MB, 1699 * MB, False),
        (False, 2000 * MB, 1701 * MB, True),
    ],
)
def test_it_is_nearly_full_where_less_is_left_than_a_run_takes_in_a_moment(
    is_own: bool, limit: int, used: int, is_nearly_full: bool
) -> None:
    found = ContainerMemory(None if is_own else list, lambda: Memory(limit, used, limited=True))
    assert found.must_leave(lambda: GB) is is_nearly_full


@pytest.mark.parametrize(
    ("taken", "peers", "must_leave"),
    [
        (200 * MB, [], True),
        (200 * MB, [199 * MB, 10 * MB], True),
        (200 * MB, [199 * MB, 201 * MB], False),
        (99 * MB, [], False),
        (101 * MB, [], True),
    ],
)
def test_of_the_runs_that_share_it_the_largest_leaves_if_that_makes_room(
    taken: int, peers: list[int], must_leave: bool
) -> None:
    container = ContainerMemory(lambda: peers, lambda: Memory(2000 * MB, 1800 * MB, limited=True))
    assert container.must_leave(lambda: taken) is must_leave


def test_a_run_stays_where_a_larger_one_has_left_meanwhile() -> None:
    used = [1800 * MB]

    def left() -> list[int]:
        used[0] = 1000 * MB
        return []

    container = ContainerMemory(left, lambda: Memory(2000 * MB, used[0], limited=True))
    assert not container.must_leave(lambda: GB)


def test_a_run_leaves_before_a_worker_is_ended() -> None:
    assert SHARED_FULL < FULL


def test_where_nobody_bounds_it_it_is_never_full() -> None:
    assert not ContainerMemory(None, lambda: Memory(GB, GB)).must_leave(lambda: GB)


@pytest.mark.parametrize("name", ["memory.events", "memory/memory.oom_control"])
def test_processes_that_the_kernel_ended_are_counted(name: str, tmp_path: Path) -> None:
    container = ContainerMemory(None, cgroup=tmp_path)
    assert container.kills() == 0
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("under_oom 0\noom 4\noom_kill 3\noom_group_kill 1\n")
    assert container.kills() == 3


@pytest.mark.parametrize(
    ("shared", "reason", "said"),
    [
        (False, Reason.OUT_OF_MEMORY, "nearly all memory of its container, which train.resources.memory sets (2Gi)"),
        (True, Reason.EVICTED, "and serving comes first; this run took the most (3 MiB)"),
    ],
)
def test_a_run_that_was_ended_for_it_says_so_and_is_tried_again_where_others_took_it(
    shared: bool, reason: Reason, said: str
) -> None:
    full = Ended(None, -9, killed_for=Reason.OUT_OF_MEMORY, container_full=True, peak_memory=3 << 20)
    failure = failure_of(replace(full, shares_container=shared), Train())
    assert failure is not None
    assert (failure.reason, failure.heals) == (reason, shared)
    assert said in failure.message
