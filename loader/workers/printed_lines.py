"""What the workers of each release printed last, in memory, for whoever reads or follows it."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

import msgspec

from core.broadcast import Broadcast

_LINES = 2_000
"""Of one release."""
_BYTES = 256 * 1024
"""Characters of one release's lines."""
_RELEASES = 400
"""Of all models together: a hundred megabytes at the very most."""


class PrintedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    id: int
    """Of two, the later has the greater one."""
    at: datetime
    model: str
    release: str
    line: str


class _Kept:
    def __init__(self) -> None:
        self.lines: deque[PrintedLine] = deque()
        self.size = 0

    def add(self, line: PrintedLine) -> None:
        self.lines.append(line)
        self.size += len(line.line)
        while len(self.lines) > _LINES or self.size > _BYTES:
            self.size -= len(self.lines.popleft().line)


class PrintedLines:
    """For one event loop; reading is for any thread."""

    def __init__(self) -> None:
        self.news = Broadcast()
        """Sent with every line."""
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._last = int(datetime.now(UTC).timestamp() * 1000) * 1000  # so that ids go on rising over restarts

    @property
    def last(self) -> int:
        """The id of the newest line."""
        return self._last

    def add(self, model: str, release: str, line: str) -> None:
        with self._lock:
            self._last += 1
            kept = self._kept.setdefault((model, release), _Kept())
            kept.add(PrintedLine(id=self._last, at=datetime.now(UTC), model=model, release=release, line=line))
            self._kept.move_to_end((model, release))
            while len(self._kept) > _RELEASES:
                self._kept.popitem(last=False)
        self.news.send()

    def newest(
        self,
        model: str,
        release: str | None = None,
        *,
        before: int | None = None,
        since: datetime | None = None,
        most: int = 100,
    ) -> list[PrintedLine]:
        """The newest first; `before`: of those that came earlier than the one of that id."""
        found = (
            line
            for line in sorted(self._of(model, release), key=lambda line: line.id, reverse=True)
            if (before is None or line.id < before) and (since is None or line.at >= since)
        )
        return list(islice(found, most))

    def after(self, id: int, model: str, release: str | None = None) -> list[PrintedLine]:
        """What came later than the line of that id, in order."""
        return sorted((line for line in self._of(model, release) if line.id > id), key=lambda line: line.id)

    def _of(self, model: str, release: str | None) -> Iterable[PrintedLine]:
        with self._lock:
            return [
                line
                for (of, made), kept in self._kept.items()
                if of == model and release in (None, made)
                for line in kept.lines
            ]
