"""What was read last of things that never change, such as commits: to read it again would start git anew."""

from __future__ import annotations

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """For any thread. Of more than so many, those that were put in first are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._all: dict[K, V] = {}
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        return self._all.get(key)

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._all[key] = value
            while len(self._all) > self._most:
                del self._all[next(iter(self._all))]
