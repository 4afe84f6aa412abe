"""Limits how many pools start at a time, since importing and constructing a model takes a whole core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class StartLimiter:
    """A semaphore of `at_once` permits. A permit held for longer than `longest_s` is given to the next one: its holder
    probably waits (for a download, or an import that never returns) rather than computes."""

    def __init__(self, at_once: int, longest_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._longest_s = longest_s

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[None]:
        await self._free.acquire()
        expired = False

        def expire() -> None:
            nonlocal expired
            expired = True
            self._free.release()

        expiry = asyncio.get_running_loop().call_later(self._longest_s, expire)
        try:
            yield
        finally:
            expiry.cancel()
            if not expired:
                self._free.release()
