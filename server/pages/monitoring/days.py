"""The last 24 hours of every model, read now and then rather than for each page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

from core.errors import PawlError
from core.task import spawn
from server.pages.facts import DayTraffic
from server.traffic.history.history import Counts, TrafficHistory

log = logging.getLogger("pawl")

_DAY = timedelta(hours=24)
_STEP_S = 900
_FRESH = timedelta(seconds=30)
_FIRST_S = 1.0
"""How long the first page waits."""


class DayReader:
    """For the loop's own thread. Nothing is read while nobody looks."""

    def __init__(self, history: TrafficHistory, models: Callable[[], Collection[str]]) -> None:
        self._history = history
        self._models = models
        self._days: dict[str, DayTraffic] = {}
        self._read_at: datetime | None = None
        self._reading: asyncio.Task[None] | None = None

    async def read(self) -> Mapping[str, DayTraffic]:
        """By model, as of half a minute ago or so; none while the registry can't be asked."""
        now = datetime.now(UTC)
        is_idle = self._reading is None or self._reading.done()
        if is_idle and (self._read_at is None or now - self._read_at > _FRESH):
            self._reading = spawn(self._refresh(now), "traffic of the last day")
        if self._read_at is None and self._reading is not None:
            await asyncio.wait([self._reading], timeout=_FIRST_S)
        return self._days

    async def _refresh(self, now: datetime) -> None:
        try:
            self._days = {model: await self._day(model, now) for model in list(self._models())}
        except PawlError as error:
            log.debug("the traffic of the last day can't be read: %s", error)
            self._days = {}
        except Exception:
            log.exception("a failure of Pawl's own: the traffic of the last day can't be read")
            self._days = {}
        finally:
            self._read_at = now

    async def _day(self, model: str, now: datetime) -> DayTraffic:
        return day_of(await self._history.counts(model, now - _DAY, now, _STEP_S), now)


def day_of(counts: Counts, now: datetime) -> DayTraffic:
    """`now`: the last step goes on."""
    length = (counts.ends - counts.begins).total_seconds() or 1.0
    passed, rates = (now - counts.begins).total_seconds(), []
    for number, requests in enumerate(counts.requests):
        seconds = min(counts.step_s, passed - number * counts.step_s)
        if seconds >= min(60, counts.step_s):
            rates.append(requests / seconds * 60)
    errors = sum(count for status, count in counts.totals.by_status.items() if status.startswith("5"))
    return DayTraffic(
        rates=tuple(rates),
        swaps=tuple((swap.at - counts.begins).total_seconds() / length for swap in counts.swaps),
        requests=counts.totals.requests,
        errors=errors,
        p95_ms=counts.totals.p95_ms,
    )
