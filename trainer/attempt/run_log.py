"""What an attempt prints, bounded: the first half of what is kept, and the last, with the middle cut out."""

from __future__ import annotations

import os
from pathlib import Path

COUNT_BYTES = 8
LAST_BYTES = 4000
"""Of a log, what tells how it ended."""


class RunLog:
    """Writes `log.txt`, which gets the first half, and beside it a ring of the last, until `close` joins them.

    On disk it never takes more than `most` bytes; in memory, nothing.
    """

    def __init__(self, path: Path, most: int, also: int | None = None) -> None:
        """`also`: a file descriptor that gets all of it too."""
        self._path = path
        self._also = also
        self._head_most = most // 2
        self._ring_most = most // 2
        self._head = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._ring = -1
        self._head_size = 0
        self._past_head = 0
        """Bytes that came after the head was full."""

    def write(self, data: bytes) -> None:
        if self._also is not None:
            _write_all(self._also, data)
        room = self._head_most - self._head_size
        if room > 0:
            _write_all(self._head, data[:room])
            self._head_size += len(data[:room])
        if len(data) > room:
            self._write_ring(data[max(0, room) :])

    def close(self) -> None:
        """Join the halves."""
        if self._ring >= 0:
            _write_all(self._head, _joined(*_read_ring(ring_of(self._path), self._ring_most)))
            os.close(self._ring)
            ring_of(self._path).unlink(missing_ok=True)
        os.close(self._head)

    def _write_ring(self, data: bytes) -> None:
        if self._ring < 0:
            self._ring = os.open(ring_of(self._path), os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        skipped = max(0, len(data) - self._ring_most)
        self._past_head += skipped
        rest = memoryview(data)[skipped:]
        while rest:
            at = self._past_head % self._ring_most
            piece = rest[: self._ring_most - at]
            os.pwrite(self._ring, piece, COUNT_BYTES + at)
            self._past_head += len(piece)
            rest = rest[len(piece) :]
        os.pwrite(self._ring, self._past_head.to_bytes(COUNT_BYTES, "little"), 0)


def ring_of(path: Path) -> Path:
    return path.with_suffix(".ring")


def read_log(path: Path, most: int) -> bytes:
    """What is kept, while it is being written as well as later; `most` as the writer has it. Empty: nothing is."""
    try:
        head = path.read_bytes()
    except FileNotFoundError:
        return b""
    try:
        return head + _joined(*_read_ring(ring_of(path), most // 2))
    except FileNotFoundError:
        return head if len(head) > most // 2 else path.read_bytes()  # it may have been joined just now


def read_end(path: Path, most: int) -> str:
    """The last lines, no more than `LAST_BYTES`; `most` as the writer has it."""
    text = read_log(path, most)[-LAST_BYTES:].decode("utf-8", "replace")
    return text if len(text) < LAST_BYTES else text.partition("\n")[2] or text


def _read_ring(path: Path, most: int) -> tuple[bytes, int]:
    """The last bytes in their order, and how many are lost."""
    with open(path, "rb") as file:
        count = int.from_bytes(file.read(COUNT_BYTES), "little")
        ring = file.read(most)
    if count <= most:
        return ring[:count], 0
    at = count % most
    return ring[at:] + ring[:at], count - most


def _joined(tail: bytes, lost: int) -> bytes:
    if not lost:
        return tail
    cut, newline, rest = tail.partition(b"\n")
    kept, lost = (rest, lost + len(cut) + 1) if newline else (tail, lost)
    return b"\n... %d bytes are left out here ...\n" % lost + kept


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
