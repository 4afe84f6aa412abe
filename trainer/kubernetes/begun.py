"""Which attempts have had a Job, in the store: a Job that is gone, for its time is over or somebody deleted it, is not
begun again."""

from __future__ import annotations

from loader.artifacts.records import RunRecords
from trainer.records.record_names import begun_in, begun_record


class BegunMarks:
    """For one thread. What was read of a run is remembered, for nobody else begins attempts meanwhile."""

    def __init__(self, records: RunRecords) -> None:
        self._records = records
        self._last: dict[str, int] = {}

    def last(self, model: str, key: str) -> int:
        """0: none. Raises StoreUnavailable."""
        if key not in self._last:
            self._last[key] = begun_in(self._records.names(model, key))
        return self._last[key]

    def put(self, model: str, key: str, attempt: int) -> None:
        """Once its Job is there. Raises StoreUnavailable."""
        if self.last(model, key) < attempt:
            self._records.put_once(model, key, begun_record(attempt), b"")
            self._last[key] = attempt

    def forget(self, key: str) -> None:
        """What is remembered of it in memory."""
        self._last.pop(key, None)
