"""How often something happened since the daemon's start, by the events that tell of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from core.events import Event, EventKind

_OUTCOMES = {EventKind.LIVE: "live", EventKind.FAILED: "failed"}


class Happenings:
    """Counts events on their way to the event log."""

    def __init__(self, record: Callable[[Event], None]) -> None:
        self.swaps: Counter[str] = Counter(dict.fromkeys(_OUTCOMES.values(), 0))
        """By outcome: `live`, and `failed` where what was live stays so."""
        self.restarts: Counter[str] = Counter()
        """Workers that were replaced, by model."""
        self._record = record

    def record(self, event: Event) -> None:
        if (outcome := _OUTCOMES.get(event.kind)) is not None:
            self.swaps[outcome] += 1
        elif event.kind is EventKind.WORKER_REPLACED:
            self.restarts[event.model] += 1
        self._record(event)
