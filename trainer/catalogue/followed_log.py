"""What an attempt prints, read while it prints it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from trainer.attempt.run_log import COUNT_BYTES, ring_of

_PIECE = 64 * 1024


class Overtaken(Exception):
    """More was printed meanwhile than is kept: what comes next is not what came before."""


class FollowedLog:
    """Reads on from a place in all that was ever printed, counted in bytes; so a reader who was cut off goes on.

    The files stay open, so that the end is read though the attempt has joined or removed them.
    """

    def __init__(self, path: Path, most: int, offset: int = 0) -> None:
        """`most`: as the writer of `path` has it. Raises FileNotFoundError."""
        self._path = path
        self._half = most // 2
        self._head = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._ring = -1
        self._at = 0
        self._move_to(offset)

    @property
    def at(self) -> int:
        """Where it reads next."""
        return self._at

    def read(self) -> bytes:
        """What has come, a piece at a time; empty: nothing, now. Raises Overtaken."""
        if self._at < self._half:
            piece = os.pread(self._head, min(_PIECE, self._half - self._at), self._at)
        elif self._has_ring():
            piece = self._read_ring()
        else:  # joined before anybody saw the ring
            piece = os.pread(self._head, _PIECE, self._at)
        self._at += len(piece)
        return piece

    def close(self) -> None:
        for handle in (self._head, self._ring):
            if handle >= 0:
                os.close(handle)

    def _move_to(self, offset: int) -> None:
        """Or to the first place after it that is kept."""
        end = os.fstat(self._head).st_size
        if self._has_ring():
            end = self._half + self._count()
            if offset >= self._half:
                offset = max(offset, self._oldest())
        self._at = min(offset, end)

    def _has_ring(self) -> bool:
        if self._ring < 0:
            with suppress(FileNotFoundError):
                self._ring = os.open(ring_of(self._path), os.O_RDONLY | os.O_CLOEXEC)
        return self._ring >= 0

    def _count(self) -> int:
        return int.from_bytes(os.pread(self._ring, COUNT_BYTES, 0), "little")

    def _oldest(self) -> int:
        """Beside what the writer may be writing over at this moment."""
        kept = self._half - min(_PIECE * 4, self._half // 4)
        return self._half + max(0, self._count() - kept)

    def _read_ring(self) -> bytes:
        start, count = self._at - self._half, self._count()
        place = start % self._half
        piece = os.pread(self._ring, min(_PIECE, count - start, self._half - place), COUNT_BYTES + place)
        if self._oldest() > self._at:
            raise Overtaken
        return piece
