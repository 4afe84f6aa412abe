"""A body that is passed on while it comes: of any size, and never much of it in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

_MOST_HELD = 256 * 1024
"""Bytes that may wait to be passed on before no more are read; what one read brings comes on top."""


class Pausable(Protocol):
    """What the body comes on."""

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class BodyStream:
    """Pieces go in as they come; whoever passes them on takes them out, and so lets more come."""

    def __init__(self, source: Pausable) -> None:
        self.received = 0
        """Bytes so far."""
        self.is_paused = False
        """Whether the sender is held up by us."""
        self._source = source
        self._pieces: list[bytes] = []
        self._held = 0
        self._is_whole = False
        self._changed = asyncio.Event()

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.received += len(piece)
        self._held += len(piece)
        self._changed.set()
        if self._held > _MOST_HELD:  # said again each time: for a reason of its own the source may have read on
            self.is_paused = True
            self._source.pause_reading()

    def end(self) -> None:
        """All of it has come."""
        self._is_whole = True
        self._changed.set()
        self._resume()

    def drop(self) -> None:
        """Nobody takes the rest."""
        self._pieces.clear()
        self._held = 0
        self._resume()

    async def pieces(self) -> AsyncIterator[bytes]:
        """To the end of the body; what is held by then in one piece."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._pieces:
                piece, self._pieces, self._held = b"".join(self._pieces), [], 0
                self._resume()
                yield piece
            if self._is_whole and not self._pieces:
                return

    def _resume(self) -> None:
        if self.is_paused:
            self.is_paused = False
            self._source.resume_reading()
