"""Exchanges with servers that a thread waits for: each has an end, and another thread can end them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from threading import Lock
from typing import Any, TypeVar

from loader.sources.git.mirror.stoppable import Stopped

T = TypeVar("T")


class Exchanges:
    """Runs coroutines, each in the thread that asks for it, until `stop`.

    In a coroutine a deadline holds wherever it waits; a blocking read's timeout begins anew with each byte.
    """

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[Any], asyncio.AbstractEventLoop] = {}
        self._is_stopped = False
        self._lock = Lock()

    def run(self, work: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        """What the work returns. Raises TimeoutError when it takes longer, Stopped once stopped."""
        try:
            return asyncio.run(self._run(work, timeout_s))
        except asyncio.CancelledError:
            raise Stopped from None

    def stop(self) -> None:
        """End all that run; none begins any more."""
        with self._lock:
            self._is_stopped = True
            for task, loop in self._running.items():
                loop.call_soon_threadsafe(task.cancel)

    async def _run(self, work: Callable[[], Coroutine[Any, Any, T]], timeout_s: float) -> T:
        task = asyncio.current_task()
        assert task is not None
        with self._lock:
            if self._is_stopped:
                raise Stopped
            self._running[task] = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                return await work()
        finally:
            with self._lock:
                del self._running[task]
