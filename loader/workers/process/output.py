"""What a worker prints: to the log, bounded, and its last lines kept for whoever asks what happened."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger("pawl.model")

_CHUNK = 65_536
_CHUNK_PAUSE_S = 0.01
"""Together: at most some 6 MB/s are looked at of one worker, which costs little. More is cut before it comes here."""
_LINE = 2_000
_KEPT_LINES = 60
_BURST = 500
_PER_SECOND = 50.0
"""Lines of one worker that go to the log; all of them would fill a disk. What is left out is counted."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Stream(Protocol):
    async def read(self, most: int, /) -> bytes: ...


class Output:
    """Reads one worker's stdout and stderr until it closes them."""

    def __init__(self, name: str, burst: int = _BURST, printed: Callable[[str], object] = str) -> None:
        """`printed` is called with each line, but for those of which there are too many to look at."""
        self.lines = 0
        """Read so far."""
        self._name = name
        self._printed = printed
        self._kept: deque[str] = deque(maxlen=_KEPT_LINES)
        self._rest = b""
        self._burst = self._may_log = float(burst)
        self._counted_at = time.monotonic()
        self._left_out = 0

    def last_lines(self) -> str:
        return "\n".join(self._kept)

    async def pump(self, stream: Stream) -> None:
        while chunk := await stream.read(_CHUNK):
            self._take(chunk)
            await asyncio.sleep(_CHUNK_PAUSE_S if len(chunk) == _CHUNK else 0)
        self._take(b"\n")
        self._tell_left_out()

    def _take(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LINE:
            lines.append(self._rest)
            self._rest = b""
        self._refill()
        self._skip(max(0, len(lines) - _KEPT_LINES - int(self._may_log)))
        for line in lines[-_KEPT_LINES - int(self._may_log) :]:
            self._say(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line[:_LINE].decode("utf-8", "replace").rstrip()))

    def _say(self, line: str) -> None:
        if not line:
            return
        self.lines += 1
        self._kept.append(line)
        self._printed(line)
        if self._may_log < 1:
            self._left_out += 1
            return
        self._tell_left_out()
        self._may_log -= 1
        log.info("%s: %s", self._name, line)

    def _skip(self, lines: int) -> None:
        """Of very many lines, those that would neither be logged nor kept."""
        self.lines += lines
        self._left_out += lines
        if lines:
            self._printed(f"({lines:,} lines are left out here)")

    def _tell_left_out(self) -> None:
        if self._left_out:
            log.warning("%s: it prints too much: %d lines are left out here", self._name, self._left_out)
            self._left_out = 0

    def _refill(self) -> None:
        now = time.monotonic()
        self._may_log = min(self._burst, self._may_log + (now - self._counted_at) * _PER_SECOND)
        self._counted_at = now
