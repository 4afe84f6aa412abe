from __future__ import annotations

import asyncio
from collections.abc import Iterator

from server.traffic.usage import Taken, UsageHistory


def history(*taken: Taken) -> UsageHistory:
    """After one look a minute."""
    looks: Iterator[Taken] = iter(taken)
    moments = iter(range(0, 60 * len(taken), 60))
    found = UsageHistory(lambda: next(looks), lambda: next(moments))
    for _ in taken:
        asyncio.run(found.add())
    return found


def test_busy_processors_are_told_between_two_looks_unless_a_process_ended_meanwhile() -> None:
    found = history(*(Taken(cpu_s, 10, None) for cpu_s in (5.0, 35.0, 125.0, 3.0, 63.0)))
    assert [one.cores for one in found.values] == [None, 0.5, 1.5, None, 1.0]
    assert [one.at for one in found.values] == [0, 60, 120, 180, 240]


def test_memory_is_what_it_is_and_a_day_is_kept() -> None:
    found = history(*(Taken(0.0, number, number) for number in range(24 * 60 + 2)))
    assert len(found.values) == 24 * 60
    assert (found.values[0].memory_bytes, found.values[0].gpu_memory_bytes) == (2, 2)
