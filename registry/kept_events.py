"""The newest events of each kind, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from heapq import merge
from itertools import count, islice, takewhile
from operator import itemgetter

from core.broadcast import Broadcast
from core.events import Event, EventKind, moment_of
from registry.event_filter import EVERYTHING, EventFilter

KEPT = 1000
"""Events of each kind. Whoever calls a model can bring about as many failed requests as he likes: they must not push
what became of a release out of sight."""
_ROUNDED = timedelta(microseconds=5)

Numbered = tuple[int, Event]
"""By the order of their coming, whatever the clock did meanwhile; those of earlier runs have numbers below zero."""


class KeptEvents:
    """For the thread of one event loop."""

    def __init__(self) -> None:
        self.last = -1
        """The number of the newest event that came here; those that are remembered have smaller ones."""
        self.news = Broadcast()
        """Sent with every event."""
        self._kinds: defaultdict[tuple[EventKind, bool], deque[Numbered]] = defaultdict(partial(deque, maxlen=KEPT))
        """What people did is kept apart from what happened by itself."""
        self._numbers = count()

    def add(self, event: Event) -> None:
        self.last = next(self._numbers)
        self._kinds[event.kind, event.is_audit].append((self.last, event))
        self.news.send()

    def take(self, events: Sequence[Event]) -> None:
        """Those of other daemons, in that order, as far as they are not here."""
        kinds = {(event.kind, event.is_audit) for event in events}
        known = {_identity(event) for kind in kinds for _, event in self._kinds[kind]}
        for event in events:
            if _identity(event) not in known:
                known.add(_identity(event))
                self.add(event)

    def remember(self, earlier: list[Event]) -> None:
        """Take in events of earlier runs, newest first; they count as older than what came here."""
        ours = {event.id for _, event in self._newest()}
        for number, event in enumerate(earlier, 1):
            kept = self._kinds[event.kind, event.is_audit]
            if event.id not in ours and len(kept) < KEPT:
                kept.appendleft((-number, event))

    def newest(
        self, chosen: EventFilter = EVERYTHING, *, before: str | None = None, most: int | None = None
    ) -> list[Event]:
        """The newest events first; `before`: those that come after the one of that id in this order."""
        if before is None and chosen.model is None:
            rest = (event for _, event in self._newest(chosen.kind))
            return list(islice(filter(chosen.takes, rest), most))
        events = [event for _, event in self._sorted(chosen)]
        return list(islice(filter(chosen.takes, events if before is None else _after(before, events)), most))

    def newest_of_each_kind(self, model: str, most: int) -> list[Event]:
        """So many of each, all of them newest first."""
        counts = Counter[str]()
        found = []
        for _, event in self._sorted(EventFilter(model=model)):
            counts[event.kind] += 1
            if counts[event.kind] <= most:
                found.append(event)
        return found

    def oldest_of_all(self, chosen: EventFilter) -> datetime | None:
        """Since when everything that is chosen is here; None: nothing older was let go."""
        full = [ours for (kind, _), ours in self._kinds.items() if chosen.kind in (None, kind) and len(ours) == KEPT]
        return max((ours[0][1].at for ours in full), default=None)

    def place_of(self, id: str) -> int | None:
        """The number of an event, or of the last before it where it is gone by now; None: all came after it."""
        numbered = self._sorted()
        rest = len(_after(id, [event for _, event in numbered]))
        before = numbered[: len(numbered) - rest]
        if before and before[-1][1].id == id:
            return before[-1][0]
        return numbered[len(before)][0] if rest else None

    def after(self, place: int) -> list[Numbered]:
        """What came after the event of that number, in order."""
        return list(takewhile(lambda numbered: numbered[0] > place, self._newest()))[::-1]

    def _sorted(self, chosen: EventFilter = EVERYTHING) -> list[Numbered]:
        """The newest first; of a kind and of a model, where those are chosen."""
        kinds = (kept for (kind, _), kept in self._kinds.items() if chosen.kind in (None, kind))
        model = chosen.model
        found = [one for kept in kinds for one in kept if model is None or one[1].model == model]
        return sorted(found, key=itemgetter(0), reverse=True)

    def _newest(self, kind: str | None = None) -> Iterator[Numbered]:
        kinds = [reversed(kept) for (name, _), kept in self._kinds.items() if kind in (None, name)]
        return merge(*kinds, key=lambda numbered: numbered[0], reverse=True)


def _identity(event: Event) -> tuple[EventKind, datetime, str, str]:
    """As its id would say, which takes long to compute."""
    return event.kind, event.at, event.model, event.version


def _after(id: str, events: list[Event]) -> list[Event]:
    """What follows the event of that id; where it is gone by now, what is older than it was."""
    until = moment_of(id)
    since = until - _ROUNDED  # ids take long to compute, so only those are that may be the one
    for place, event in enumerate(events, 1):
        if since <= event.at <= until and event.id == id:
            return events[place:]
    return [event for event in events if event.at < since or (event.at <= until and event.id < id)]
