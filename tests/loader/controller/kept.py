"""A model's controller in a place of its own, and what it shows and records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from core.events import Event, EventKind
from core.release import Release, Wanted
from loader.controller.model_controller import ModelController
from loader.workers.pool import Pool
from tests.loader.pools import Place, Shown, place

WAITS = """
import os, pathlib, time

class Waits:
    def transform_predict(self):
        gate = pathlib.Path({gate!r})
        gate.with_suffix(".begun").touch()
        while not gate.exists():
            time.sleep(0.01)
        return {{"answered": "whole"}}
"""


FAILS = """
class Fails:
    def transform_predict(self, variables):
        raise RuntimeError("unforeseen")
"""


class Kept:
    """A controller of the model, what it shows, and what it records."""

    def __init__(self, here: Place, superseded_after_s: float, bring_back_s: float) -> None:
        self.shown = Shown()
        self.events: list[Event] = []
        self.outcomes: list[bool] = []
        self.spoilt: dict[str, Exception] = {}
        """Releases that don't start, and why."""
        self._here = here
        self.controller = ModelController(
            "Model",
            self._start,
            self.shown,
            self.events.append,
            lambda: self.outcomes.append(self.controller.live is not None),
            superseded_after_s,
            bring_back_s,
        )
        self.task = asyncio.create_task(self.controller.run())

    async def _start(self, release: Release, **more: object) -> Pool:
        if release.id in self.spoilt:
            await more["make_room"]()  # type: ignore[operator]
            raise self.spoilt[release.id]
        return await self._here.start_release(release, **more)

    def live(self) -> int | None:
        live = self.shown.live.get("Model")
        return None if live is None else live.version.number

    def live_release(self) -> Release | None:
        return self.controller.live and self.controller.live.pool.release

    def spoil(self, wanted: Wanted, error: Exception) -> None:
        assert wanted.release is not None
        self.spoilt[wanted.release.id] = error

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]


@asynccontextmanager
async def keeping(
    tmp_path: Path, superseded_after_s: float = 10.0, bring_back_s: float = 10.0
) -> AsyncIterator[tuple[Place, Kept]]:
    async with place(tmp_path) as here:
        kept = Kept(here, superseded_after_s, bring_back_s)
        yield here, kept
        kept.task.cancel()
        await asyncio.wait([kept.task])
        await kept.controller.close(1)
