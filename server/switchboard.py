"""The routes as they are now: what the loader shows and hides becomes tables for the gateways."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from core.task import spawn
from loader.front import Live
from loader.workers.pool import Pool
from server.table import Route, Table

_MOST_VERSIONS = 256
"""Names under which versions were asked for that have a route; one commit has many. Beyond it the oldest go."""


class Switchboard:
    """Implements `loader.front.Front`. A table goes out whole at every change."""

    def __init__(self, hand_out: Callable[[Table], Awaitable[None]]) -> None:
        """`hand_out` returns once every gateway routes by the table."""
        self.live: dict[str, Live] = {}
        self.down: dict[str, str] = {}
        self._versions: dict[str, Live] = {}
        self._ready = False
        self._hand_out = hand_out
        self._serials = itertools.count(1)
        self._refreshes: set[asyncio.Task[None]] = set()

    async def show(self, model: str, live: Live) -> None:
        self._forget_versions_on(model, unless=live.pool)
        self.live[model] = live
        self.down.pop(model, None)
        await self._publish()

    async def hide(self, model: str, why: str | None) -> None:
        self._forget_versions_on(model, unless=None)
        self.live.pop(model, None)
        self.down.pop(model, None)
        if why is not None:
            self.down[model] = why
        else:
            self._drop_versions(lambda key, live: key.startswith(f"{model}/"))
        await self._publish()

    async def show_version(self, model: str, name: str, live: Live) -> None:
        self._versions.pop(f"{model}/{name}", None)
        self._versions[f"{model}/{name}"] = live
        while len(self._versions) > _MOST_VERSIONS:
            del self._versions[next(iter(self._versions))]
        await self._publish()

    async def hide_pool(self, pool: Pool) -> None:
        self._drop_versions(lambda key, live: live.pool is pool)
        await self._publish()

    def forget_versions(self) -> None:
        if self._versions:
            self._versions.clear()
            self.refresh()

    def refresh(self) -> None:
        task = spawn(self._publish(), "refresh of the routes")
        self._refreshes.add(task)
        task.add_done_callback(self._refreshes.discard)

    async def set_ready(self, ready: bool) -> None:
        self._ready = ready
        await self._publish()

    def _drop_versions(self, which: Callable[[str, Live], bool]) -> None:
        for key, live in list(self._versions.items()):
            if which(key, live):
                del self._versions[key]

    async def _publish(self) -> None:
        await self._hand_out(self._table())

    def _table(self) -> Table:
        pools = {live.pool.id: live.pool.sockets for live in (*self.live.values(), *self._versions.values())}
        return Table(
            serial=next(self._serials),
            ready=self._ready,
            live={model: _route(model, live) for model, live in self.live.items()},
            versions={key: _route(key.partition("/")[0], live) for key, live in self._versions.items()},
            down=dict(self.down),
            pools=pools,
        )

    def _forget_versions_on(self, model: str, unless: Pool | None) -> None:
        """Versions that were opened on the pool which is live till now, and is about to stop, are to be opened anew."""
        old = self.live.get(model)
        if old is not None and old.pool is not unless:
            self._drop_versions(lambda key, live: live.pool is old.pool)


def _route(model: str, live: Live) -> Route:
    serve = live.pool.release.manifest.serve
    return Route(
        model=model,
        version=live.version.label,
        commit=live.version.commit,
        pool=live.pool.id,
        timeout_s=serve.timeout_s,
        max_queue=serve.max_queue,
    )
