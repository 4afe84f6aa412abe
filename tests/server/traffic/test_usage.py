from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.usage import UsageSums
from registry.registry import Registry
from server.traffic.history.steps import Steps, choose_steps
from server.traffic.taken import Taken
from server.traffic.usage import Usage, UsageHistory, combined

NOON = 1_782_043_200.0
"""A noon, in UTC."""


def steps(*, minutes: int, step_s: int) -> Steps:
    """From noon."""
    return choose_steps(NOON, NOON + 60 * minutes, step_s, NOON + 60 * minutes)


def look(registry: Registry, *taken: Taken, minute: int = 0) -> UsageHistory:
    """A server's history after one look a minute."""
    looks: Iterator[Taken] = iter(taken)
    moments = itertools.count(minute)
    found = UsageHistory(lambda: next(looks), registry, "one", lambda: NOON + 60 * next(moments))
    for _ in taken:
        asyncio.run(found.add())
    return found


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(f"sqlite:///{tmp_path / 'registry.db'}", pause_s=0.0)
    yield registry
    registry.close()


def test_busy_processors_are_told_between_two_looks_unless_a_process_ended_meanwhile(registry: Registry) -> None:
    history = look(registry, *(Taken(cpu_s, 10, None) for cpu_s in (5.0, 35.0, 125.0, 3.0, 63.0)))
    found = asyncio.run(history.read(steps(minutes=5, step_s=60)))
    assert [one.cores for one in found] == [None, 0.5, 1.5, None, 1.0]
    assert [one.at - NOON for one in found] == [0, 60, 120, 180, 240]


def test_after_a_restart_what_was_before_is_there(registry: Registry) -> None:
    look(registry, *(Taken(30.0 * number, 100 * number, 7) for number in range(1, 4)))
    later = look(registry, Taken(1.0, 1000, 9), minute=20)
    fine = asyncio.run(later.read(steps(minutes=30, step_s=60)))
    assert [(one.memory_bytes, one.gpu_memory_bytes) for one in fine] == [(100, 7), (200, 7), (300, 7), (1000, 9)]
    coarse = asyncio.run(later.read(steps(minutes=30, step_s=900)))
    assert coarse == [Usage(NOON, 0.5, 200.0, 7.0), Usage(NOON + 900, None, 1000.0, 9.0)]


def test_what_could_not_be_written_waits(registry: Registry, tmp_path: Path) -> None:
    history = look(registry, Taken(0.0, 1, None))
    registry.close()
    away = tmp_path / "registry.db"
    away.rename(tmp_path / "kept")
    away.mkdir()
    looks = iter((Taken(0.0, 2, None), Taken(0.0, 3, None)))
    moments = itertools.count(NOON + 60, 60)
    history = UsageHistory(lambda: next(looks), registry, "one", lambda: next(moments))
    asyncio.run(history.add())
    away.rmdir()
    (tmp_path / "kept").rename(away)
    asyncio.run(history.add())
    found = asyncio.run(history.read(steps(minutes=3, step_s=60)))
    assert [one.memory_bytes for one in found] == [1, 2, 3]


def test_several_servers_add_up_and_one_that_ran_for_a_part_counts_for_that_part() -> None:
    first, second = UsageSums(samples=60, memory_bytes=60 * 100, cores=30.0, cores_samples=60), UsageSums(15, 15 * 200)
    assert combined([(NOON, first), (NOON, second)], 3600, NOON + 7200) == [Usage(NOON, 0.5, 150.0, None)]


def test_servers_that_follow_each_other_do_not_add_up() -> None:
    first, second = UsageSums(samples=30, memory_bytes=30 * 100), UsageSums(samples=30, memory_bytes=30 * 200)
    rows = [(NOON, first), (NOON, second)]
    assert combined(rows, 3600, NOON + 7200)[0].memory_bytes == 150.0
    assert combined(rows, 3600, NOON + 1800)[0].memory_bytes == 300.0, "half an hour has passed: both run"
