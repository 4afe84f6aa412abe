"""Old versions that somebody asks for by name: started when asked, stopped when no longer."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.errors import PawlError, ReleaseFailed
from core.release import Release, Wanted
from loader.front import Front, Live
from loader.pool import Pool, Report

log = logging.getLogger("pawl.loader")

MOST_POOLS = 4


class TooManyVersions(PawlError):
    """As many old versions run as may."""


@dataclass
class _Guest:
    """A pool that is here because it was asked for by name."""

    pool: asyncio.Task[Pool]
    names: set[str] = field(default_factory=set)
    """`Model/vN`, as its requests are counted."""
    used: float = field(default_factory=time.monotonic)


class OnDemand:
    """At most `MOST_POOLS` pools of one worker each."""

    def __init__(
        self,
        resolve: Callable[[str, str], Wanted],
        start_pool: Callable[[Release, Callable[[Report], None]], asyncio.Future[Pool]],
        front: Front,
        idle_s: float,
    ) -> None:
        """`resolve(model, name)` blocks; it raises VersionNotFound and VersionAmbiguous."""
        self._resolve = resolve
        self._start_pool = start_pool
        self._front = front
        self._idle_s = idle_s
        self._guests: dict[tuple[str, str], _Guest] = {}

    async def open(self, model: str, name: str, live: Live | None) -> None:
        """Route `model` at version `name`: to what is live if that is it, else to a pool of its own.

        Raises VersionNotFound, VersionAmbiguous, TooManyVersions, ReleaseFailed.
        """
        wanted = await asyncio.to_thread(self._resolve, model, name)
        if wanted.release is None:
            assert wanted.failure is not None
            raise wanted.failure
        if live is not None and live.pool.release == wanted.release:
            await self._front.show_version(model, name, Live(wanted.version, live.pool))
        else:
            pool = await self._guest(wanted.release, f"{model}/{wanted.version.label}")
            await self._front.show_version(model, name, Live(wanted.version, pool))

    def touch(self, names: Iterable[str]) -> None:
        """What goes by those names (`Model/vN`) is in use."""
        for guest in self._guests.values():
            if not guest.names.isdisjoint(names):
                guest.used = time.monotonic()

    async def stop_idle(self) -> None:
        now = time.monotonic()
        for key, guest in list(self._guests.items()):
            if guest.pool.done() and now - guest.used > self._idle_s:
                del self._guests[key]
                pool = guest.pool.result()
                await self._front.hide_pool(pool)
                await pool.stop()

    def pools(self) -> tuple[Pool, ...]:
        return tuple(guest.pool.result() for guest in self._guests.values() if guest.pool.done())

    async def close(self) -> None:
        await asyncio.gather(*(pool.stop() for pool in self.pools()))

    async def _guest(self, release: Release, name: str) -> Pool:
        key = (release.model, release.id)
        if key not in self._guests:
            if len(self._guests) >= MOST_POOLS:
                raise TooManyVersions(
                    f"{MOST_POOLS} old versions are running, which is as many as may; try again when one has been idle"
                )
            start = asyncio.ensure_future(self._start_pool(release, self._log))
            self._guests[key] = _Guest(asyncio.create_task(_awaited(start), name=f"start of {key}"))
        guest = self._guests[key]
        guest.names.add(name)
        guest.used = time.monotonic()
        try:
            return await asyncio.shield(guest.pool)
        except ReleaseFailed:
            self._guests.pop(key, None)
            raise

    def _log(self, report: Report) -> None:
        log.warning("an old version asked for by name: %s\n%s", report.message, report.detail)


async def _awaited(start: asyncio.Future[Pool]) -> Pool:
    return await start
