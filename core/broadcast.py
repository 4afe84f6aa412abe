"""A signal that wakes all tasks that wait for it; none of them takes it from the others."""

from __future__ import annotations

import asyncio


class Broadcast:
    """For one event loop. Who looks, finds nothing, and waits without a pause between misses no news."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def send(self) -> None:
        """Wake all who wait now."""
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self) -> None:
        """Until the next `send`."""
        await self._news.wait()
