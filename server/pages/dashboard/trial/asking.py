"""Asks a model on behalf of a page: straight at one of its workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from core.errors import PawlError
from core.traffic.bucket import Stage, answer
from loader.controller.routes import Live
from server.gateways.route_publisher import series_of
from server.traffic.traffic import Take
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

    def __init__(self, live_of: Callable[[str], Live | None], take: Take) -> None:
        """`live_of`: what answers for a model. `take` counts."""
        self._live_of = live_of
        self._take = take

    async def ask(self, model: str, variables: object) -> Asked:
        """Raises NothingLive."""
        live = self._live_of(model)
        if live is None or not live.pool.sockets:
            raise NothingLive(f"{model} has no worker that could answer now")
        body = msgspec.json.encode({} if variables is None else {"variables": variables})
        asked = await _ask(live.pool.sockets[0], body, live.pool.release.manifest.serve.timeout_s)
        self._take(series_of(model, live, Stage.TEST), answer(asked.status, asked.milliseconds / 1e3))
        return asked


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
