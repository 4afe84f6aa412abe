"""Whose turn it is, of many that are to be asked again and again."""

from __future__ import annotations

from collections.abc import Iterable

MOST = 20
"""At a time: whoever waits for the thread that asks doesn't wait for long."""


class Turns:
    """Each comes once in `every_s` seconds, or as soon as those have come who wait longer."""

    def __init__(self, every_s: float, most: int = MOST) -> None:
        self._every_s = every_s
        self._most = most
        self._came_at: dict[str, float] = {}

    def next(self, keys: Iterable[str], now: float) -> set[str]:
        """Of these, those that are to be asked now; one that was not there before is."""
        self._came_at = {key: self._came_at.get(key, float("-inf")) for key in keys}
        late = [key for key, at in self._came_at.items() if not at <= now < at + self._every_s]
        chosen = sorted(late, key=self._came_at.__getitem__)[: self._most]
        self._came_at.update(dict.fromkeys(chosen, now))
        return set(chosen)
