"""Gathers what is known of the models."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from core.events import Event, EventKind
from registry.event_filter import EventFilter
from registry.event_log import EventLog
from server.pages.commit_texts import CommitTexts, Named
from server.pages.facts import CommitText, DayTraffic, ModelFacts
from server.pages.standing import Standing
from server.state import ModelState, ServerState


class FactsReader:
    """For pages."""

    def __init__(
        self,
        state: Callable[[], ServerState],
        model_state: Callable[[str], ModelState | None],
        event_log: EventLog,
        commits: CommitTexts,
        standing: Callable[[], Awaitable[Standing]],
        days: Callable[[], Awaitable[Mapping[str, DayTraffic]]],
    ) -> None:
        """`model_state`: that of one, or None. `days`: by model; what can't be read now is left out."""
        self._state = state
        self._model_state = model_state
        self._event_log = event_log
        self._commits = commits
        self._standing = standing
        self._days = days

    async def all(self) -> Sequence[ModelFacts]:
        return await self._of(list(self._state().models.values()))

    async def one(self, name: str) -> ModelFacts | None:
        state = self._model_state(name)
        return None if state is None else (await self._of([state]))[0]

    async def _of(self, models: Sequence[ModelState]) -> list[ModelFacts]:
        commits = await self._commits.of([named for one in models if (named := _named(one))])
        standing, days = await self._standing(), await self._days()
        went_live = newest_times(self._event_log.kept.newest(EventFilter(kind=EventKind.LIVE)))
        failed_at = newest_times(self._event_log.kept.newest(EventFilter(kind=EventKind.FAILED)))
        return [
            ModelFacts(
                state=one,
                commit=_text(one, commits),
                live_since=_live_since(one, standing) or (went_live.get(one.name) if one.live else None),
                failed_at=failed_at.get(one.name) if one.failure else None,
                pin=standing.pins.get(one.name),
                day=days.get(one.name),
            )
            for one in models
        ]


def _live_since(model: ModelState, standing: Standing) -> datetime | None:
    return None if model.live is None else standing.live_since.get((model.name, model.live.release))


def newest_times(events: Sequence[Event]) -> dict[str, datetime]:
    """By model, of events with the newest first."""
    found: dict[str, datetime] = {}
    for event in events:
        found.setdefault(event.model, event.at)
    return found


def _text(model: ModelState, commits: Mapping[str, CommitText]) -> CommitText | None:
    named = _named(model)
    return commits.get(named[2]) if named is not None else None


def _named(model: ModelState) -> Named | None:
    """Whose words are shown: the live version's, or the newest push's where nothing is live."""
    if model.live is not None:
        return model.name, model.live.version, model.live.commit
    return (model.name, model.failure.version, model.failure.commit) if model.failure is not None else None
