"""What answers at a model's own route: shown, replaced, taken away. What it replaces drains."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from core.release import Release, Version
from core.task import spawn
from loader.controller.routes import Live, Routes
from loader.workers.pool import Pool


@dataclass(frozen=True)
class Missed:
    """What answered before, and does not."""

    release: Release
    version: Version
    run: str | None


class ModelRoute:
    """Of one model. Each method returns once every gateway routes by the change."""

    def __init__(self, model: str, routes: Routes) -> None:
        self.live: Live | None = None
        """What answers; None: nothing does, and the route says why."""
        self.missed: Missed | None = None
        """What comes back if what is wanted fails: it was stopped to make room for that, or was live before a restart
        and did not start."""
        self._model = model
        self._routes = routes
        self._drains = _Drains()

    async def show(self, live: Live) -> None:
        """From now on this answers, and what did before drains."""
        try:
            await self._routes.show(self._model, live)
        except Exception:
            await self.give_up(live.pool)
            raise
        old, self.live, self.missed = self.live, live, None
        self._drain(old)

    def miss(self, release: Release, version: Version) -> None:
        """It was live before, and did not start."""
        self.missed = Missed(release, version, release.run)

    async def rename(self, version: Version, run: str | None) -> None:
        """What answers goes by another version, or run."""
        assert self.live is not None
        renamed = replace(self.live, version=version, run=run)
        await self._routes.show(self._model, renamed)
        self.live = renamed

    async def explain(self, why: str) -> None:
        """Say at the route why nothing answers, while nothing does."""
        assert self.live is None
        await self._routes.hide(self._model, why)

    async def take_down(self, why: str | None, *, run: str | None = None) -> None:
        """Nothing answers from now on, for that reason; None: the model is gone. `run`: see `Routes.hide`."""
        await self._routes.hide(self._model, why, run=run)
        old, self.live, self.missed = self.live, None, None
        self._drain(old)

    async def make_room(self, release: Release) -> int:
        """Bytes needed beside what is live, which `serve.swap: replace` stops instead: the gap that it accepts."""
        live = self.live
        if live is None:
            return 0
        if release.manifest.serve.swap == "beside":
            return live.pool.peak_memory
        self.missed, self.live = Missed(live.pool.release, live.version, live.run), None
        await self._routes.hide(self._model, "it is being replaced by its next release")
        await asyncio.shield(self._drains.begin(live.pool))
        return 0

    async def give_up(self, pool: Pool) -> None:
        """It does not go live. It may have been loaded by the name of its version before."""
        await self._routes.hide_pool(pool)
        self._drains.begin(pool)

    async def drained(self) -> None:
        """Until all that answered before has ended."""
        await self._drains.over()

    async def close(self, timeout_s: float) -> None:
        """End what answers: the server stops."""
        if self.live is not None:
            await self.live.pool.stop(timeout_s)

    def _drain(self, old: Live | None) -> None:
        if old is not None:
            self._drains.begin(old.pool)


class _Drains:
    """Pools that no longer answer at the route: they answer what they have, and end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, pool: Pool) -> asyncio.Task[None]:
        """Done once the pool has ended."""
        task = spawn(pool.stop(), f"drain of {pool.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def over(self) -> None:
        """Until all have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks)
