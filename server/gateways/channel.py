"""A channel of JSON lines to a child process, over an inherited socket pair."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

_MAX_LINE = 64 * 1024 * 1024


class JsonLines:
    """Our end; `theirs` is the child's, to be closed here once the child has it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, theirs: socket.socket) -> None:
        self.theirs = theirs
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls) -> JsonLines:
        ours, theirs = socket.socketpair()
        return cls(*await asyncio.open_connection(sock=ours, limit=_MAX_LINE), theirs)

    def send(self, line: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(line)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The child's lines until it closes its end, or dies."""
        try:
            while line := await self._reader.readline():
                yield line
        except (OSError, ValueError):
            return

    def close(self) -> None:
        self._writer.close()
