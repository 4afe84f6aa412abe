"""Traces as a part of the daemon: where requests are traced, an exporter is started, and is given their spans."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from core.task import spawn
from server.traces.variables import sampling
from worker.wire.spans import Span

log = logging.getLogger("pawl.traces")

_STOP_S = 5.0
"""Seconds that a collector gets for what is left."""


class Exporter(Protocol):
    def take(self, spans: list[Span]) -> None:
        """Never blocks."""

    def close(self) -> None:
        """Send what is left; may block."""


class Traces:
    """Hands spans on to the exporter, once that is there."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.sampling = sampling(environ)
        """None: no request is traced."""
        self._exporter: Exporter | None = None
        self._opening: asyncio.Task[None] | None = None

    def take(self, spans: list[Span]) -> None:
        """Those that come before the exporter is there are lost."""
        if self._exporter is not None:
            self._exporter.take(spans)

    async def start(self) -> None:
        if self.sampling is not None:
            self._opening = spawn(self._open(), "start of the exporter of traces")

    async def stop(self) -> None:
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self._exporter is not None:
            closing = asyncio.create_task(asyncio.to_thread(self._exporter.close))
            await asyncio.wait([closing], timeout=_STOP_S)

    async def _open(self) -> None:
        self._exporter = await asyncio.to_thread(_new_exporter)
        log.info("requests are traced")


def _new_exporter() -> Exporter:
    from server.traces.exporter import OtlpSpans  # here, for it takes long to import and need not be installed

    return OtlpSpans()
