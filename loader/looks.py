"""One look after another, as often as somebody asks for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Looks:
    """Looks once for any number of wakes that come before it begins. For the loop's own thread."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        """`look` raises nothing."""
        self._look = look
        self._dirty = asyncio.Event()
        self._over = 0
        """How many have been looked."""
        self._is_looking = False
        self._changed = asyncio.Condition()

    def wake(self) -> None:
        """Look soon."""
        self._dirty.set()

    async def next(self) -> None:
        """Look soon, and return when what was there at the call has been seen.

        One look that goes on already may have missed it, so then it takes the one after that.
        """
        after = self._over + (2 if self._is_looking else 1)
        self.wake()
        async with self._changed:
            await self._changed.wait_for(lambda: self._over >= after)

    async def run(self) -> None:
        """Look at once, and then whenever woken, for ever."""
        while True:
            self._dirty.clear()
            self._is_looking = True
            await self._look()
            async with self._changed:
                self._is_looking = False
                self._over += 1
                self._changed.notify_all()
            await self._dirty.wait()
