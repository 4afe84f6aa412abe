"""Pools that were started because somebody named their versions; what is to be live may already run in one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from core.release import Release
from loader.controller.pool_starter import PoolStarter
from loader.workers.pool import Pool
from loader.workers.report import Report


@dataclass
class LoadedPool:
    """A pool that was started because a request named its version."""

    start: asyncio.Task[Pool]
    names: set[str] = field(default_factory=set)
    """`Model/vN` or `Model/run-KEY`, as its requests are counted."""
    used: float = field(default_factory=time.monotonic)

    @property
    def started(self) -> Pool | None:
        done = self.start.done() and not self.start.cancelled() and self.start.exception() is None
        return self.start.result() if done else None


class LoadedPools:
    """By model and release id."""

    def __init__(self) -> None:
        self.by_release: dict[tuple[str, str], LoadedPool] = {}

    def take(self, release: Release) -> Pool | None:
        """The pool that runs the release with as many workers as it should have live; it is no longer among these.

        None where its workers keep ending: what is to be live is proven by a start of its own.
        """
        key = (release.model, release.id)
        pool = self.by_release[key].started if key in self.by_release else None
        if pool is None or pool.over or pool.crashing or len(pool.workers) != release.manifest.serve.replicas:
            return None
        del self.by_release[key]
        return pool


class LoadedFirst:
    """Starts pools for what is to be live: one that was loaded by name, and so was proven, is moved in as it is."""

    def __init__(self, loaded: LoadedPools, start: PoolStarter) -> None:
        self._loaded = loaded
        self._start = start

    async def __call__(
        self,
        release: Release,
        *,
        version: str,
        make_room: Callable[[], Awaitable[int]],
        progress: Callable[[str], None],
        changed: Callable[[], None],
        report: Callable[[Report], None],
    ) -> Pool:
        pool = self._loaded.take(release)
        if pool is None:
            return await self._start(
                release, version=version, make_room=make_room, progress=progress, changed=changed, report=report
            )
        pool.report_to(report)
        return pool
