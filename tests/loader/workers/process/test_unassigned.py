from __future__ import annotations

import asyncio
import itertools
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loader.workers.process.unassigned import begin


def test_a_start_that_finds_no_descriptor_leaves_none_behind() -> None:
    """In asyncio's own loop, for uvloop keeps some where it can't make a pipe."""

    async def test() -> None:
        await (await begin(Path(sys.executable), os.environ)).end()  # the loop opens some descriptors of its own
        await turn()
        before = descriptors()
        failed = 0
        while True:
            try:
                with only(failed):
                    unassigned = await begin(Path(sys.executable), os.environ)
            except OSError:
                failed += 1
                await turn()
                assert descriptors() == before
            else:
                break
        await unassigned.end()
        assert failed > 3

    asyncio.run(test())


async def turn() -> None:
    """A transport closes its descriptor in the loop's next turn, or in the one after it."""
    for _ in range(2):
        await asyncio.sleep(0)


def descriptors() -> set[int]:
    return {int(name) for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}


@contextmanager
def only(few: int) -> Iterator[None]:
    """So many more descriptors can be had."""
    taken = descriptors()
    free = (number for number in itertools.count() if number not in taken)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(itertools.islice(free, few, None)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
