"""What a worker prints: to the log, bounded, and its last lines kept for whoever asks what happened."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

log = logging.getLogger("pawl.model")

_CHUNK = 16_384
_CHUNK_PAUSE_S = 0.05
"""Together: at most 320 kB/s are read of one worker. One that prints more waits in its own `print`."""
_LINE = 2_000
_KEPT_LINES = 60


class Output:
    """Reads one worker's stdout and stderr until it closes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._kept: deque[str] = deque(maxlen=_KEPT_LINES)
        self._rest = b""

    def last_lines(self) -> str:
        return "\n".join(self._kept)

    async def pump(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(_CHUNK):
            self._take(chunk)
            if len(chunk) == _CHUNK:
                await asyncio.sleep(_CHUNK_PAUSE_S)
        self._take(b"\n")

    def _take(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._say(line[:_LINE].decode("utf-8", "replace").rstrip())

    def _say(self, line: str) -> None:
        if line:
            self._kept.append(line)
            log.info("%s: %s", self._name, line)
