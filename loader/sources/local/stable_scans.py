"""Scans of a local folder, without what is half saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from loader.files.tree import Bounds
from loader.sources.local.tree import Scan, is_being_written, scan


class StableScans:
    """Scans files and folders directly under `root`; `pause` waits for some seconds."""

    def __init__(self, root: Path, bounds: Bounds, pause: Callable[[float], object]) -> None:
        self._root = root
        self._bounds = bounds
        self._pause = pause
        self._taken: Mapping[str, Scan] = {}
        self._through: frozenset[str] = frozenset()

    @property
    def through(self) -> frozenset[str]:
        """The hidden entries that links led through at the last look."""
        return self._through

    def stable(self, parts: Iterable[str]) -> Mapping[str, Scan]:
        """A scan of each part, without those that some process is still writing to.

        A part that changed within the last moments is taken only if a second scan finds the same, and one that changed
        at all only if no process has a file of it open for writing.
        """
        first = {part: self._scan(part) for part in parts}
        self._through = frozenset[str]().union(*(found.through for found in first.values()))
        changed = {part for part, found in first.items() if found != self._taken.get(part)}
        if any(first[part].is_recent for part in changed):
            self._pause(STABLE_AFTER_S)
            # One link may have been swapped for several parts, of which some were looked at before and some after.
            changed |= {part for part, found in first.items() if found.through}
        moving = {part for part in changed if self._is_moving(part, first[part])}
        self._taken = {part: found for part, found in first.items() if part not in moving}
        return self._taken

    def _is_moving(self, part: str, first: Scan) -> bool:
        if first.is_moving or ((first.is_recent or first.through) and self._scan(part) != first):
            return True
        return is_being_written(self._root, first.seen)

    def _scan(self, part: str) -> Scan:
        return scan(self._root, part, self._bounds)


STABLE_AFTER_S = 0.3
"""Seconds without a change after which a part is stable: editors and copies write in bursts."""
