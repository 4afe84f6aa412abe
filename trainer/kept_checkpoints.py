"""Checkpoints of runs of this machine that are over, for those who try one again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from core.folders import bytes_in, remove_tree

_PLACE = ".checkpoints"
_KEPT_S = 86_400.0
"""As long as the store keeps those of pods."""
_BETWEEN_S = 600.0
"""Between two looks at whose time is over."""


class KeptCheckpoints:
    """`<home>/.checkpoints/of-<run key>/`, from the end of a run to its next attempt, or for a day; of more
    than there is room for, the oldest go earlier."""

    def __init__(self, home: Path, max_bytes: int, now: Callable[[], float] = time.time) -> None:
        """`home`: of all runs, whose checkpoints are in `<home>/<run key>/checkpoint`."""
        self._home = home
        self._max_bytes = max_bytes
        self._now = now
        self._prune_at = 0.0

    def keep(self, key: str) -> None:
        """Where the run has left one. What can't be kept is left where it is."""
        here, kept = self._home / key / "checkpoint", self._kept(key)
        with suppress(OSError):
            if any(here.iterdir()):
                kept.parent.mkdir(exist_ok=True)
                remove_tree(kept)
                here.rename(kept)
                os.utime(kept, (self._now(), self._now()))
                self._make_room()

    def give_back(self, key: str) -> None:
        """To the folder of the run, unless that has one."""
        here = self._home / key / "checkpoint"
        with suppress(OSError):
            here.parent.mkdir(parents=True, exist_ok=True)
            self._kept(key).rename(here)  # onto nothing, or an empty folder

    def prune(self) -> None:
        """Those whose day is over; called again and again."""
        if self._now() < self._prune_at:
            return
        self._prune_at = self._now() + _BETWEEN_S
        for at, kept in self._all():
            if at < self._now() - _KEPT_S:
                remove_tree(kept)

    def _make_room(self) -> None:
        left = self._max_bytes
        for _, kept in sorted(self._all(), reverse=True):
            if (taken := bytes_in(kept)) > left:
                remove_tree(kept)
            else:
                left -= taken

    def _all(self) -> Iterator[tuple[float, Path]]:
        """When each was left, in seconds since 1970, and where it is."""
        for kept in (self._home / _PLACE).glob("of-*"):
            with suppress(OSError):
                yield kept.stat().st_mtime, kept

    def _kept(self, key: str) -> Path:
        return self._home / _PLACE / f"of-{key}"
