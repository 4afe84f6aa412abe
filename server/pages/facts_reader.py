"""Gathers what is known of the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from core.events import Event, EventKind
from core.steering import Pin
from registry.event_log import KEPT, EventLog
from server.pages.facts import CommitText, ModelFacts
from server.state import ModelState, ServerState


class FactsReader:
    """For pages."""

    def __init__(
        self,
        state: Callable[[], ServerState],
        event_log: EventLog,
        commits: Callable[[Sequence[str]], Mapping[str, CommitText]],
        pins: Callable[[], Mapping[str, Pin]],
    ) -> None:
        """`commits`: what is known of commits by their hashes. `pins`: by model."""
        self._state = state
        self._event_log = event_log
        self._commits = commits
        self._pins = pins

    async def all(self) -> Sequence[ModelFacts]:
        models = list(self._state().models.values())
        hashes = [commit for one in models if (commit := _commit(one))]
        commits, pins = self._commits(hashes), self._pins()
        live_since = newest_times(self._event_log.newest(kind=EventKind.LIVE, most=KEPT))
        failed_at = newest_times(self._event_log.newest(kind=EventKind.FAILED, most=KEPT))
        return [
            ModelFacts(
                state=one,
                commit=commits.get(_commit(one)),
                live_since=live_since.get(one.name) if one.live else None,
                failed_at=failed_at.get(one.name) if one.failure else None,
                pin=pins.get(one.name),
            )
            for one in models
        ]

    async def one(self, name: str) -> ModelFacts | None:
        return next((one for one in await self.all() if one.name == name), None)


def newest_times(events: Sequence[Event]) -> dict[str, datetime]:
    """By model, of events with the newest first."""
    found: dict[str, datetime] = {}
    for event in events:
        found.setdefault(event.model, event.at)
    return found


def _commit(model: ModelState) -> str:
    """Whose words are shown: the live version's, or the newest push's where nothing is live."""
    if model.live is not None:
        return model.live.commit
    return model.failure.commit if model.failure is not None else ""
