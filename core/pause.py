"""The pause between two looks at what others may change."""

from __future__ import annotations

import asyncio
from contextlib import suppress

LEAST_S = 0.1
"""However much is heard: each look is a transaction."""


class Pause:
    """For one event loop, and one task that waits."""

    def __init__(self) -> None:
        self._soon = asyncio.Event()

    def hasten(self) -> None:
        """End it, or the next one if nobody waits now: somebody has changed something."""
        self._soon.set()

    async def wait(self, most_s: float) -> None:
        """That long, or until it is hastened; what hastens it later ends the next one."""
        least_s = min(LEAST_S, most_s)
        await asyncio.sleep(least_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s - least_s):
                await self._soon.wait()
        self._soon.clear()
