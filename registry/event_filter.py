"""Which events somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.events import ACTOR_KINDS, BY_ITSELF, Actor, Event


@dataclass(frozen=True)
class EventFilter:
    """None: whatever it is."""

    model: str | None = None
    kind: str | None = None
    actor: str | None = None
    """A kind of actor, or the name of one."""
    since: datetime | None = None

    @property
    def is_odd(self) -> bool:
        """Whether a database would refuse what is asked for, which no event has."""
        return "\0" in f"{self.model}{self.actor}"

    def takes(self, event: Event) -> bool:
        return (
            self.model in (None, event.model)
            and self.kind in (None, event.kind.value)
            and (self.actor is None or self._is_actor(event.actor or BY_ITSELF))
            and (self.since is None or event.at >= self.since)
        )

    def _is_actor(self, actor: Actor) -> bool:
        return self.actor == (actor.kind if self.actor in ACTOR_KINDS else actor.name)


EVERYTHING = EventFilter()
