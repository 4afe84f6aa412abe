"""Warm workers: unassigned processes started ahead, so that a push need not wait for Python's start and for the imports
that every worker needs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.process import resources as machine
from core.task import spawn
from loader.workers.process.unassigned import UnassignedProcess, begin

log = logging.getLogger("pawl.pool")

MOST = 2
"""Interpreters that have a warm worker: those that were used last."""
_QUIET_S = 0.5
"""Seconds without any start before warm workers are made, so that they take no processor time from models that load."""
_KEPT_S = 3600.0
"""Whoever pushes again within that time finds one; a server that nobody pushes to has none."""
_FULL = 0.75
"""Share of memory in use above which none are made. The guard acts far above."""


@dataclass(frozen=True)
class _Kind:
    """What a warm worker must have in common with the worker that it becomes."""

    python: Path
    environ: Mapping[str, str]

    def stamp(self) -> object:
        """Another one once packages were installed, or the environment was built anew; None if it has gone."""
        folder = self.python.parent.parent
        try:
            found = [(path, path.stat()) for path in (folder, *sorted(folder.glob("lib/python*/site-packages")))]
        except OSError:
            return None
        return [(path, status.st_dev, status.st_ino, status.st_mtime_ns) for path, status in found]


@dataclass(frozen=True, eq=False)
class _WarmWorker:
    kind: _Kind
    stamp: object
    unassigned: UnassignedProcess

    @property
    def usable(self) -> bool:
        return self.unassigned.usable and self.stamp is not None and self.stamp == self.kind.stamp()


class WarmWorkers:
    """One warm worker for each of the interpreters used last, made when nothing has been started for a moment.

    A warm worker differs from a process started now by its age alone. One that was stopped, has ended, or whose
    environment has changed since is not used: `obtain` then starts a fresh process, so nothing depends on a warm one.
    """

    def __init__(
        self,
        memory: Callable[[], machine.Memory] = machine.memory,
        most: int = MOST,
        quiet_s: float = _QUIET_S,
        kept_s: float = _KEPT_S,
    ) -> None:
        self._memory = memory
        self._most = most
        self._quiet_s = quiet_s
        self._kept_s = kept_s
        self._used: list[_Kind] = []
        """Newest first."""
        self._waiting: dict[_WarmWorker, asyncio.Task[None]] = {}
        """With the task that watches each."""
        self._ends: set[asyncio.Task[None]] = set()
        self._starts = 0
        self._timer: asyncio.TimerHandle | None = None
        self._making: asyncio.Task[None] | None = None
        self._closed = False

    async def obtain(self, python: Path, environ: Mapping[str, str]) -> UnassignedProcess:
        """A warm worker, or a fresh process. Raises OSError."""
        kind = _Kind(python, environ)
        self._used = [kind, *(each for each in self._used if each != kind)][: self._most]
        self._make_soon()
        return self._take(kind) or await begin(python, environ)

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """While something is being started, no warm worker is made."""
        self._starts += 1
        try:
            yield
        finally:
            self._starts -= 1
            self._make_soon()

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that wait."""
        return tuple(warm.unassigned.process.pid for warm in self._waiting)

    async def give_up(self) -> bool:
        """End them all, since memory is short. Whether there were any."""
        had_some = bool(self._waiting)
        for warm in list(self._waiting):
            self._drop(warm)
        if self._ends:
            await asyncio.wait(self._ends)
        return had_some

    async def close(self) -> None:
        """End them all, and make no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._making is not None:
            await asyncio.wait([self._making])
        await self.give_up()

    def _take(self, kind: _Kind) -> UnassignedProcess | None:
        for warm in [each for each in self._waiting if each.kind == kind]:
            if warm.usable:
                self._waiting.pop(warm).cancel()
                return warm.unassigned
            self._drop(warm)
        return None

    def _make_soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._most and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(self._quiet_s, self._begin_making)

    def _begin_making(self) -> None:
        if self._making is None or self._making.done():
            self._making = spawn(self._make(), "warm workers")

    async def _make(self) -> None:
        try:
            await self._make_those_missing()
        except OSError as error:
            log.info("no worker could be started ahead: %s", error)
        except Exception:
            log.exception("a failure of Pawl's own while starting a worker ahead; pushes start theirs")

    async def _make_those_missing(self) -> None:
        for warm in [each for each in self._waiting if each.kind not in self._used]:
            self._drop(warm)
        for kind in self._used:
            if self._starts or not self._has_room():
                return
            if all(warm.kind != kind for warm in self._waiting):
                await self._make_one(kind)

    async def _make_one(self, kind: _Kind) -> None:
        warm = _WarmWorker(kind, kind.stamp(), await begin(kind.python, kind.environ))
        self._waiting[warm] = spawn(self._watch(warm), "warm worker")

    async def _watch(self, warm: _WarmWorker) -> None:
        """Until it ends, or its time is over."""
        await warm.unassigned.ended(self._kept_s)
        self._drop(warm)

    def _drop(self, warm: _WarmWorker) -> None:
        watch = self._waiting.pop(warm, None)
        if watch is None:  # it was taken in the moment in which it ended
            return
        if watch is not asyncio.current_task():
            watch.cancel()
        end = spawn(warm.unassigned.end(), "end of a warm worker")
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)

    def _has_room(self) -> bool:
        now = self._memory()
        return now.used <= _FULL * now.limit
