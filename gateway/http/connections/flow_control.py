"""Whether a client takes what is written to it (asyncio calls it flow control)."""

from __future__ import annotations

import asyncio


class FlowControl:
    """Between `pause` and `resume` whoever has more to write should wait."""

    def __init__(self) -> None:
        self.is_paused = False
        self._resumed: asyncio.Future[None] | None = None

    def pause(self) -> None:
        self.is_paused = True
        self._resumed = asyncio.get_running_loop().create_future()

    def resume(self) -> None:
        self.is_paused = False
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.set_result(None)

    async def wait(self) -> None:
        """Return once more may be written."""
        if self._resumed is not None:
            await asyncio.shield(self._resumed)
