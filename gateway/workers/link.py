"""Keeps a connection to one worker, and reconnects whenever it drops, until the worker is out of the route table."""

from __future__ import annotations

import asyncio

from core.task import spawn
from worker.wire.client import WorkerConnection, connect

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0
_CONNECT_S = 2.0
"""Seconds that one try takes at most: less than the daemon waits for an acknowledgement."""


class Link:
    """The task that keeps a worker connected."""

    def __init__(self, path: str, up: list[WorkerConnection]) -> None:
        """`up`: where the connection is while there is one."""
        self.tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the first try to connect is over."""
        self._path = path
        self._up = up
        self._connection: WorkerConnection | None = None
        self._task = spawn(self._keep(), f"link to {path}")

    def retire(self) -> None:
        """Take the connection out of `up`; it closes once what is outstanding on it is answered."""
        self._task.cancel()
        self._mark_tried()
        self._leave()
        if self._connection is not None:
            self._connection.retire()

    async def _keep(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            if connection := await self._connect():
                self._up.append(connection)
                self._mark_tried()
                await connection.wait_closed()
                self._leave()
                pause_s = _FIRST_PAUSE_S
            self._mark_tried()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _connect(self) -> WorkerConnection | None:
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._connection = await connect(self._path)
        except (OSError, TimeoutError):
            self._connection = None
        return self._connection

    def _mark_tried(self) -> None:
        if not self.tried.done():
            self.tried.set_result(None)

    def _leave(self) -> None:
        if self._connection in self._up:
            self._up.remove(self._connection)
