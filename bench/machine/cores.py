"""Which process runs on which cores. Threads and processes inherit the cores of the process that starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from contextlib import contextmanager


def share(available: Set[int], count: int) -> tuple[Set[int], Set[int]]:
    """Cores for a server, `count` if there are as many, and for the load generator: those left, or all if none are."""
    servers = set(sorted(available)[:count])
    return servers, available - servers or available


@contextmanager
def on(cores: Set[int]) -> Iterator[None]:
    """What this thread starts runs on these, until the context ends."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
