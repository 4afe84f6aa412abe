"""Old versions that somebody asks for by name: started when asked, stopped when no longer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from core.errors import PawlError, ReleaseFailed
from core.release import Release, Version, Wanted
from loader.controller.loaded_pools import LoadedPool, LoadedPools
from loader.controller.release_names import RUN
from loader.controller.routes import Live, Routes
from loader.workers.pool import Pool
from loader.workers.report import Report

log = logging.getLogger("pawl.loader")

MOST_POOLS = 4


class TooManyVersions(PawlError):
    """As many old versions run as may."""


class OnDemand:
    """Starts pools of one worker for versions that requests name, at most `MOST_POOLS` of them."""

    def __init__(
        self,
        resolve: Callable[[str, str], Wanted],
        start_pool: Callable[[Release, str, Callable[[Report], None]], Awaitable[Pool]],
        routes: Routes,
        idle_s: float,
        loaded: LoadedPools | None = None,
    ) -> None:
        """`resolve(model, name)` blocks; it raises VersionNotFound and VersionAmbiguous. `loaded`: holds its pools, for
        others to take them from."""
        self._resolve = resolve
        self._start_pool = start_pool
        self._routes = routes
        self._idle_s = idle_s
        self._pools = (loaded or LoadedPools()).by_release
        self._last_detail = ""
        self._looks: dict[tuple[str, str], asyncio.Task[Wanted]] = {}

    async def open(self, model: str, name: str, live: Callable[[], Live | None]) -> None:
        """Route `model` at version `name`: to what is `live` by then if that is it, else to a pool of its own.

        Raises VersionNotFound, VersionAmbiguous, TooManyVersions, ReleaseFailed.
        """
        release, version = await self._look_up(model, name)
        now_live = live()
        if now_live is not None and now_live.pool.release == release:
            pool = now_live.pool
        else:
            pool = await self._obtain(release, f"{model}/{name if name.startswith(RUN) else version.label}")
            if await self._look_up(model, name) != (release, version):
                # While it started a push came, by which the name means something else.
                await self.open(model, name, live)
                return
        is_live = now_live is not None and pool is now_live.pool and not name.startswith(RUN)
        run = now_live.run if now_live is not None and is_live else release.run
        await self._routes.show_version(model, name, Live(version, pool, run))

    def touch(self, names: Iterable[str]) -> None:
        """What goes by those names (`Model/vN`, `Model/run-KEY`) is in use."""
        for each in self._pools.values():
            if not each.names.isdisjoint(names):
                each.used = time.monotonic()

    async def stop_idle(self) -> None:
        now = time.monotonic()
        for key, each in list(self._pools.items()):
            pool = each.started
            if pool is not None and now - each.used > self._idle_s:
                del self._pools[key]
                await self._routes.hide_pool(pool)
                await pool.stop()

    def is_open(self, release: Release) -> bool:
        """Whether a pool of its own runs it, or is to."""
        return (release.model, release.id) in self._pools

    def check_room(self, release: Release) -> None:
        """Raises TooManyVersions where no pool runs it, and no other may be started."""
        if not self.is_open(release) and len(self._pools) >= MOST_POOLS:
            raise TooManyVersions(
                f"{MOST_POOLS} old versions are running, which is as many as may; try again when one has been idle"
            )

    async def stop(self, release: Release) -> None:
        """End its pool, if it has one."""
        each = self._pools.pop((release.model, release.id), None)
        if each is None:
            return
        if not each.start.done():
            each.start.cancel()
            await asyncio.wait({each.start})
        if (pool := each.started) is not None:
            await self._routes.hide_pool(pool)
            await pool.stop()

    def pools(self) -> tuple[Pool, ...]:
        return tuple(each.started for each in self._pools.values() if each.started is not None)

    def labels(self, model: str) -> dict[str, str]:
        """What its releases were asked for by, also those that are being started; by their ids."""
        return {
            id: min(each.names).removeprefix(f"{model}/")
            for (name, id), each in self._pools.items()
            if name == model and each.names
        }

    async def close(self, timeout_s: float) -> None:
        """Stop all of them, those that are being started too."""
        starting = [each.start for each in self._pools.values() if not each.start.done()]
        for start in starting:
            start.cancel()
        if starting:
            await asyncio.wait(starting)
        await asyncio.gather(*(pool.stop(timeout_s) for pool in self.pools()))

    async def _look_up(self, model: str, name: str) -> tuple[Release, Version]:
        """What goes by the name now. Whoever asks while somebody else does shares the answer."""
        key = (model, name)
        if key not in self._looks:
            look = asyncio.create_task(asyncio.to_thread(self._resolve, model, name), name=f"look for {model}/{name}")
            self._looks[key] = look
            look.add_done_callback(lambda done: self._forget_look(key, done))
        wanted = await asyncio.shield(self._looks[key])
        if wanted.release is None:
            assert wanted.failure is not None
            raise wanted.failure
        return wanted.release, wanted.version

    def _forget_look(self, key: tuple[str, str], look: asyncio.Task[Wanted]) -> None:
        del self._looks[key]
        if not look.cancelled():
            look.exception()  # seen by whoever still waits for it

    async def _obtain(self, release: Release, name: str) -> Pool:
        key = (release.model, release.id)
        self.check_room(release)
        if key not in self._pools:
            start = asyncio.create_task(self._start(release, name), name=f"start of {key}")
            self._pools[key] = LoadedPool(start)
            start.add_done_callback(lambda done: self._forget_failed(key, name, done))
        each = self._pools[key]
        each.names.add(name)
        pool = await asyncio.shield(each.start)
        each.used = time.monotonic()
        return pool

    async def _start(self, release: Release, name: str) -> Pool:
        return await self._start_pool(release, name.removeprefix(f"{release.model}/"), partial(self._log_report, name))

    def _forget_failed(self, key: tuple[str, str], name: str, start: asyncio.Task[Pool]) -> None:
        if start.cancelled():
            self._pools.pop(key, None)
        elif (error := start.exception()) is not None:
            self._pools.pop(key, None)
            if isinstance(error, ReleaseFailed):
                self._log(name, f"could not be loaded: {error}", error.detail)

    def _log_report(self, name: str, report: Report) -> None:
        self._log(name, report.message, report.detail)

    def _log(self, name: str, message: str, detail: str) -> None:
        """Whoever asks again and again for what fails fills no log with tracebacks."""
        model, _, version = name.partition("/")
        news = f"\n{detail.rstrip()}" if detail and detail != self._last_detail else ""
        self._last_detail = detail or self._last_detail
        log.warning("%s: %s, asked for by name: %s%s", model, version, message, news)
