"""Sessions that somebody ended, as long as their cookies would hold: in memory, and in a file for the next start."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path

import msgspec

from server.access.private_file import read_private, write_private

log = logging.getLogger("pawl")

_MOST = 10_000


class EndedSessions:
    """By their ids; the oldest go first."""

    def __init__(self, path: Path | None, lasts_s: float, now: Callable[[], float] = time.time) -> None:
        """`path`: None keeps them in memory alone. `lasts_s`: how long a cookie holds."""
        self._path = path
        self._lasts_s = lasts_s
        self._now = now
        self._ended = self._read()

    @property
    def all(self) -> Mapping[str, float]:
        """When each was ended, in seconds since the epoch."""
        return self._ended

    def __contains__(self, session: str) -> bool:
        return session in self._ended

    def add(self, session: str) -> None:
        self.take({session: self._now()})

    def take(self, ended: Mapping[str, float]) -> None:
        """Those that were ended elsewhere, and when."""
        begins = self._now() - self._lasts_s
        since = max(begins, min(self._ended.values())) if len(self._ended) >= _MOST else begins
        if new := {session: at for session, at in ended.items() if session not in self._ended and at > since}:
            newest = sorted({**self._ended, **new}.items(), key=itemgetter(1))[-_MOST:]
            self._ended = {session: at for session, at in newest if at > begins}
            self._write()

    def _read(self) -> dict[str, float]:
        try:
            content = None if self._path is None else read_private(self._path)
            held = {} if content is None else msgspec.json.decode(content, type=dict[str, float])
        except (OSError, msgspec.MsgspecError) as error:
            log.error("%s can't be read, so sessions that were ended may hold until they expire: %s", self._path, error)
            held = {}
        return held

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            write_private(self._path, msgspec.json.encode(self._ended))
        except OSError as error:
            log.error("%s can't be written; sessions that were ended hold again after a restart: %s", self._path, error)
