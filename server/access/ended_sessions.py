"""Sessions that somebody ended, as long as their cookies would hold: in memory, and in a file for the next start."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
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
        if new := {session: at for session, at in ended.items() if session not in self._ended}:
            self._ended = _by_age({**self._ended, **new})
            while len(self._ended) > _MOST or next(iter(self._ended.values())) < self._now() - self._lasts_s:
                self._ended.popitem(last=False)
            self._write()

    def _read(self) -> OrderedDict[str, float]:
        try:
            content = None if self._path is None else read_private(self._path)
            held = {} if content is None else msgspec.json.decode(content, type=dict[str, float])
        except (OSError, msgspec.MsgspecError) as error:
            log.error("%s can't be read, so sessions that were ended may hold until they expire: %s", self._path, error)
            held = {}
        return _by_age(held)

    def _write(self) -> None:
        if self._path is None:
            return
        try:
            write_private(self._path, msgspec.json.encode(self._ended))
        except OSError as error:
            log.error("%s can't be written; sessions that were ended hold again after a restart: %s", self._path, error)


def _by_age(ended: Mapping[str, float]) -> OrderedDict[str, float]:
    return OrderedDict(sorted(ended.items(), key=lambda one: one[1]))
