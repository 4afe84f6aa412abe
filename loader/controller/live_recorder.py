"""Writes `live.json`, in a thread, so that a slow disk delays a swap for a few seconds at most."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from core.decisions import Decisions
from core.release import Candidate, Served
from core.task import spawn
from loader.controller.routes import Live, Routes
from loader.known_models import KnownModels
from loader.releases.live_file import MOST_LIVE, Change, LiveFile, Seen
from loader.workers.pool import Pool

log = logging.getLogger("pawl.loader")

PATIENCE_S = 5.0
"""How long a swap waits for the disk."""
AGAIN_S = 10.0
"""Between tries to write what could not be written."""


class LiveRecorder:
    """Passes every change of routes on to `routes`, and writes it to `live.json`, from which a restart serves.

    Changes that come while earlier ones are being written are written together.
    """

    def __init__(
        self,
        routes: Routes,
        live_file: LiveFile,
        known: KnownModels,
        seen: Callable[[], tuple[Seen, Mapping[str, int]]],
        again_s: float = AGAIN_S,
    ) -> None:
        """`known.last_live` is kept up to date here."""
        self._routes = routes
        self._known = known
        self._live_file = live_file
        self._seen = seen
        self._again_s = again_s
        self._thread = ThreadPoolExecutor(1, "live.json")
        self._changes: dict[str, Change] = {}
        self._kept: tuple[Mapping[str, Candidate], Decisions] | None = None
        self._current: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        """Writes the changes once the one before has written its own; None when there are none."""
        self._failing = False

    async def show(self, model: str, live: Live) -> None:
        await self._routes.show(model, live)
        last_live = self._known.last_live
        last = _with_latest(live.served, last_live.get(model, ()))
        self._known.last_live = {**last_live, model: last}
        self._changes[model] = last
        await self._written()

    async def hide(self, model: str, why: str | None, *, run: str | None = None) -> None:
        await self._routes.hide(model, why, run=run)
        if why is None:
            self._known.last_live = {name: last for name, last in self._known.last_live.items() if name != model}
            self._changes[model] = None
            await self._written()

    def keep(self, heads: Mapping[str, Candidate], decisions: Decisions) -> None:
        """Write down soon what is at the followed head, and what decides over it."""
        if self._kept != (heads, decisions):
            self._kept = heads, decisions
            self._soon()

    async def show_version(self, model: str, name: str, live: Live) -> None:
        await self._routes.show_version(model, name, live)

    async def hide_pool(self, pool: Pool) -> None:
        await self._routes.hide_pool(pool)

    def forget_versions(self) -> None:
        self._routes.forget_versions()

    def refresh(self) -> None:
        self._routes.refresh()

    async def written(self) -> None:
        """Until what was kept so far is written, or that takes long."""
        writes = {write for write in (self._current, self._next) if write is not None and not write.done()}
        if writes and not self._failing:
            await asyncio.wait(writes, timeout=PATIENCE_S)

    async def close(self) -> None:
        """Write what is yet to be written, if that is possible soon."""
        writes = [write for write in (self._current, self._next) if write is not None]
        if writes:
            await asyncio.wait(writes, timeout=0 if self._failing else PATIENCE_S)
        for write in writes:
            write.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _written(self) -> None:
        write = self._soon()
        if not self._failing:
            await asyncio.wait({write}, timeout=PATIENCE_S)

    def _soon(self) -> asyncio.Task[None]:
        if self._next is None:
            self._next = spawn(self._write_next(self._current), "writing of live.json")
        return self._next

    async def _write_next(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._current, self._next = self._next, None
        changes, self._changes = self._changes, {}
        kept = self._kept

        def write() -> None:
            self._live_file.update(changes, *self._seen(), kept)

        while not await self._has_written(write):  # noqa: ASYNC110 (a disk tells nobody when it has room)
            await asyncio.sleep(self._again_s)

    async def _has_written(self, write: Callable[[], None]) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, write)
        except OSError as error:
            if not self._failing:
                log.error(
                    "live.json can't be written, so a restart would serve what was live before; it is tried again: %s",
                    error,
                )
            self._failing = True
            return False
        if self._failing:
            log.info("live.json is written again")
        self._failing = False
        return True


def _with_latest(latest: Served, before: tuple[Served, ...]) -> tuple[Served, ...]:
    return (latest, *(one for one in before if one.release != latest.release))[:MOST_LIVE]
