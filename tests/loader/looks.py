"""A real loop of looks at a folder that a test writes, whose looks and starts it can hold up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.decisions import Decisions
from core.errors import SourceError
from core.events import Event
from core.release import Release, Snapshot
from loader.known_models import KnownModels
from loader.reconcile import Reconciler
from loader.releases.live_file import LiveFile
from loader.sources.local.source import LocalSource
from loader.workers.pool import Pool
from tests.loader.pools import Place, Shown

PATIENCE_S = 100.0


class Held(LocalSource):
    """A folder whose looks end only where they may."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {})
        self.looks = 0
        """How many have found what there is; they may not have ended."""
        self.is_lost = False
        self.may_end = threading.Event()
        self.may_end.set()

    def look(self) -> Snapshot:
        found = super().look()
        self.looks += 1
        assert self.may_end.wait(PATIENCE_S)
        if self.is_lost:
            raise SourceError("it is lost")
        return found


class Looking:
    """A reconciler of the folder, and what it records."""

    def __init__(self, here: Place, folder: Path) -> None:
        self._here = here
        self.source = Held(here.models)
        self.shown = Shown()
        self.events: list[Event] = []
        self.spoilt: dict[str, Exception] = {}
        """Models that don't start, and why."""
        self.decisions = Decisions()
        self.may_start = asyncio.Event()
        self.may_start.set()
        live_file = LiveFile(folder / "live.json", "here")
        self.reconciler = Reconciler(
            self.source,
            KnownModels(live_file),
            self._start,
            self.shown,
            live_file,
            self.events.append,
            lambda: self.decisions,
        )

    async def _start(self, release: Release, **more: object) -> Pool:
        more["progress"]("checkout")  # type: ignore[operator]
        await self.may_start.wait()
        if release.model in self.spoilt:
            raise self.spoilt[release.model]
        return await self._here.start_release(release, **more)

    def is_live(self, *models: str) -> bool:
        """Whether they answer, and their controllers know: what routes show first is written down in between."""
        controllers = self.reconciler.controllers
        return all(model in controllers and controllers[model].live is not None for model in models)

    def tries(self, model: str = "Model") -> int:
        """How often it has failed."""
        controller = self.reconciler.controllers.get(model)
        return 0 if controller is None or controller.failure is None else controller.failure.tries


@asynccontextmanager
async def looking(here: Place, folder: Path, *, is_held: bool = False, is_lost: bool = False) -> AsyncIterator[Looking]:
    """At the models of the place, remembering in `folder` what is live. `is_held`: the first look does not end."""
    found = Looking(here, folder)
    found.source.is_lost = is_lost
    if is_held:
        found.source.may_end.clear()
    found.reconciler.restore()
    task = asyncio.create_task(found.reconciler.run())
    try:
        yield found
    finally:
        found.source.may_end.set()
        task.cancel()
        await asyncio.wait([task])
        await found.reconciler.close(1)
