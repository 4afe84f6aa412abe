"""Whose turn it is to do what takes the whole machine: a few at a time, but nobody holds up the others for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class StartLimiter:
    """At most `at_once` have a turn. One that lasts longer than `longest_s` no longer counts: it waits for something
    (a download, an import that never returns) rather than compute."""

    def __init__(self, at_once: int, longest_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._longest_s = longest_s

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
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
