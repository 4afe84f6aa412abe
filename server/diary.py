"""Events as they happen: to the log at once, kept for the admin API, and handed to the registry."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable

from core.events import Event, EventKind

log = logging.getLogger("pawl")

KEPT = 1000
_ERRORS = frozenset({EventKind.FAILED, EventKind.CRASH_LOOP, EventKind.SOURCE_LOST})
_WARNINGS = frozenset(
    {
        *(EventKind.LEFT_OUT, EventKind.WORKER_LOST, EventKind.REQUEST_FAILED),
        *(EventKind.GATEWAY_LOST, EventKind.HISTORY_REWRITTEN),
    }
)


class Diary:
    """The newest events, bounded."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._write: Callable[[Event], None] = lambda event: None
        self._last_detail: dict[str, str] = {}
        """Of each model, as logged: a traceback that repeats at every try is logged once."""

    def record(self, event: Event) -> None:
        self._events.append(event)
        self._write(event)
        who = f"{event.model}: " if event.model else ""
        log.log(_level(event.kind), "%s%s%s", who, _indented(event.message).lstrip(), self._new_detail(event))

    def write_to(self, write: Callable[[Event], None]) -> None:
        """Have every event written down too, those that were recorded so far first."""
        for event in self._events:
            write(event)
        self._write = write

    def remember(self, earlier: list[Event]) -> None:
        """Take in events of earlier runs, newest first; they count as older than what was recorded here."""
        ours = list(self._events)
        older = [event for event in earlier if event not in ours][: KEPT - len(ours)]
        self._events = deque([*reversed(older), *ours], maxlen=KEPT)

    def newest(self, *, model: str | None = None, most: int = 100) -> list[Event]:
        """The newest events first."""
        chosen = [event for event in reversed(self._events) if model is None or event.model == model]
        return chosen[:most]

    def _new_detail(self, event: Event) -> str:
        if not event.detail or self._last_detail.get(event.model) == event.detail:
            return ""
        self._last_detail[event.model] = event.detail
        return "\n" + _indented(event.detail)


def _level(kind: EventKind) -> int:
    return logging.ERROR if kind in _ERRORS else logging.WARNING if kind in _WARNINGS else logging.INFO


def _indented(text: str) -> str:
    """So that it can't pass for lines of the log's own, nor steer a terminal: a request may be quoted in it."""
    lines = (_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line) for line in text.rstrip().splitlines())
    return "\n".join(f"    {line}" for line in lines)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
