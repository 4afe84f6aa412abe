"""How far attempts have come, as they say in the store every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from core.errors import StoreUnavailable
from loader.artifacts.records import RunRecords
from trainer.attempt.progress import Reached
from trainer.records.record_names import attempt_state

_AGE_S = 5.0


class StoredProgress:
    """Reads each no more often than it can have changed. For one thread."""

    def __init__(self, records: RunRecords, now: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._now = now
        self._read: dict[tuple[str, int], tuple[float, Reached | None]] = {}

    def __call__(self, model: str, key: str, attempt: int) -> Reached | None:
        read_at, known = self._read.get((key, attempt), (float("-inf"), None))
        if self._now() < read_at + _AGE_S:
            return known
        try:
            content = self._records.get(model, key, attempt_state(attempt))
            known = known if content is None else msgspec.json.decode(content, type=Reached)
        except (StoreUnavailable, msgspec.DecodeError):
            pass  # it is a courtesy: what is known of it will do
        self._read = {one: read for one, read in self._read.items() if read[0] > self._now() - 60}
        self._read[key, attempt] = (self._now(), known)
        return known
