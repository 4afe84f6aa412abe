"""The daemon: starts its parts in order, serves until it is told to stop, and stops them in reverse order."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from core.process.signals import is_ignored
from core.task import every, spawn

log = logging.getLogger("pawl")

_ECHO_S = 0.5
"""A signal that comes so soon after the first is the same one: `timeout`, say, signals its child and then its group."""


class Part(Protocol):
    """What runs as long as the daemon does."""

    async def start(self) -> None:
        """Begin; return without waiting for what it does."""
        ...

    async def stop(self) -> None:
        """End it, within a bound of time."""
        ...


class BackgroundTask:
    """A part that is one coroutine."""

    def __init__(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._name = name
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = spawn(self._work(), self._name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


class Timer(BackgroundTask):
    """A part that does its work again and again, with so many seconds between."""

    def __init__(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        super().__init__(f"timer: {name}", partial(every, seconds, work, name))


class Daemon:
    """Its parts, in the order in which they start."""

    def __init__(self, parts: Sequence[Part], clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._clock = clock
        self._told_at = 0.0
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self) -> int:
        """Serve until SIGTERM, SIGINT or SIGHUP; the exit code. A second signal ends everything at once, unless it is
        SIGHUP: who closes a terminal has not asked for that."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._take_signal)
        if not is_ignored(signal.SIGHUP):
            loop.add_signal_handler(signal.SIGHUP, self._begin_to_stop)
        for part in self._parts:
            await part.start()
        await self._stop.wait()
        log.info("stopping: requests in flight finish first")
        end = spawn(self._end(), "end")
        hurry = spawn(self._hurry.wait(), "hurry")
        await asyncio.wait((end, hurry), return_when=asyncio.FIRST_COMPLETED)
        if not end.done():
            log.warning("stopped at once, for a second signal: requests still in flight were cut off")
            return 1
        return 0

    def _take_signal(self) -> None:
        if not self._stop.is_set():
            self._begin_to_stop()
        elif self._clock() - self._told_at > _ECHO_S:
            self._hurry.set()

    def _begin_to_stop(self) -> None:
        if not self._stop.is_set():
            self._told_at = self._clock()
            self._stop.set()

    async def _end(self) -> None:
        for part in reversed(self._parts):
            try:
                await part.stop()
            except Exception:
                log.exception("a failure of Pawl's own while stopping; the other parts are stopped all the same")
        log.info("stopped")
