"""Asks a model on behalf of a page: straight at one of its workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from core.errors import PawlError
from loader.workers.pool import Pool
from worker.wire.client import WorkerBusy, WorkerLost, connect


class NothingLive(PawlError):
    """The model has no worker that could answer."""


@dataclass(frozen=True)
class Asked:
    """An answer."""

    status: int
    milliseconds: float
    content: object
    """As JSON gives it."""
    text: str
    """The same, to be read."""


class Asking:
    """Sends variables to what is live."""

    def __init__(self, pool_of: Callable[[str], Pool | None]) -> None:
        """`pool_of`: the live pool of a model."""
        self._pool_of = pool_of

    async def ask(self, model: str, variables: object) -> Asked:
        """Raises NothingLive."""
        pool = self._pool_of(model)
        if pool is None or not pool.sockets:
            raise NothingLive(f"{model} has no worker that could answer now")
        body = msgspec.json.encode({} if variables is None else {"variables": variables})
        return await _ask(pool.sockets[0], body, pool.release.manifest.serve.timeout_s)


async def _ask(socket: str, body: bytes, timeout_s: float) -> Asked:
    began = time.monotonic()
    try:
        connection = await connect(socket)
        try:
            answer = await connection.request(body, time.monotonic_ns() + int(timeout_s * 1e9))
        finally:
            connection.close()
    except (WorkerLost, WorkerBusy, OSError) as error:
        raise NothingLive("the worker ended, or is far behind; ask again") from error
    took = (time.monotonic() - began) * 1000
    content = msgspec.json.decode(answer.body)
    return Asked(answer.status, took, content, msgspec.json.format(answer.body, indent=2).decode())
