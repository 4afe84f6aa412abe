"""The route table as it is now: what the loader shows and hides becomes tables for the gateways."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from core.errors import ReleaseFailed
from core.task import spawn
from core.traffic.bucket import Series, Stage
from gateway.messages import KeyGrant, Route, Table
from loader.controller.routes import Live
from loader.workers.pool import Pool
from loader.workers.process.worker_process import WorkerProcess

_MOST_VERSIONS = 256
"""Names under which versions were asked for that have a route; one commit has many. Beyond it the oldest go."""


Served = tuple[Series, Sequence[WorkerProcess]]
"""Workers that requests go to, and as what they are counted."""


class RoutePublisher:
    """Implements `Routes` of the loader. A table goes out whole, once for all changes of one turn of the loop."""

    def __init__(
        self,
        hand_out: Callable[[Table], Awaitable[None]],
        shown: Callable[[Iterable[Served]], None] = lambda _: None,
    ) -> None:
        """`hand_out` returns once every gateway routes by the table. `shown` is told of all that is in it before."""
        self.live: dict[str, Live] = {}
        self.down: dict[str, str] = {}
        self._untrained: dict[str, str] = {}
        self._versions: dict[str, Live] = {}
        self._routes: dict[str, Route] = {}
        """Of what is live and of versions, by the keys of both."""
        self._ready = False
        self._keys: Mapping[str, KeyGrant] = {}
        self._hand_out = hand_out
        self._shown = shown
        self._serials = itertools.count(1)
        self._next: asyncio.Task[None] | None = None
        """Makes the next table and hands it out; None when nothing has changed since the last was made."""

    async def show(self, model: str, live: Live) -> None:
        """Raises ReleaseFailed, with nothing changed, where gateways could not read the route."""
        route = _route(model, live)
        self._forget_versions_on(model, unless=live.pool)
        self.live[model], self._routes[model] = live, route
        self.down.pop(model, None)
        self._untrained.pop(model, None)
        await self._publish()

    async def hide(self, model: str, why: str | None, *, run: str | None = None) -> None:
        self._forget_versions_on(model, unless=None)
        self.live.pop(model, None)
        self._routes.pop(model, None)
        self.down.pop(model, None)
        self._untrained.pop(model, None)
        if run is not None:
            self._untrained[model] = run
        if why is not None:
            self.down[model] = why
        else:
            self._drop_versions(lambda key, live: key.startswith(f"{model}/"))
        await self._publish()

    async def show_version(self, model: str, name: str, live: Live) -> None:
        key, route = f"{model}/{name}", _route(model, live)
        self._versions.pop(key, None)
        self._versions[key], self._routes[key] = live, route
        while len(self._versions) > _MOST_VERSIONS:
            self._drop_version(next(iter(self._versions)))
        await self._publish()

    async def hide_pool(self, pool: Pool) -> None:
        self._drop_versions(lambda key, live: live.pool is pool)
        await self._publish()

    def forget_versions(self) -> None:
        if self._versions:
            self._drop_versions(lambda key, live: True)
            self.refresh()

    def refresh(self) -> None:
        self._soon()

    async def set_ready(self, ready: bool) -> None:
        self._ready = ready
        await self._publish()

    async def set_keys(self, keys: Mapping[str, KeyGrant]) -> None:
        """By digest: those that a model may be asked with from now on."""
        self._keys = keys
        await self._publish()

    def _drop_versions(self, which: Callable[[str, Live], bool]) -> None:
        for key, live in list(self._versions.items()):
            if which(key, live):
                self._drop_version(key)

    def _drop_version(self, key: str) -> None:
        del self._versions[key], self._routes[key]

    async def _publish(self) -> None:
        await asyncio.shield(self._soon())

    def _soon(self) -> asyncio.Task[None]:
        if self._next is None:
            self._next = spawn(self._hand_out_next(), "hand-out of the routes")
        return self._next

    async def _hand_out_next(self) -> None:
        self._next = None
        table = self._table()
        self._shown(self._served())
        await self._hand_out(table)

    def _served(self) -> Iterator[Served]:
        for key, live in self._versions.items():
            yield series_of(key.partition("/")[0], live, Stage.VERSION), live.pool.workers
        for model, live in self.live.items():  # a pool may be both
            yield series_of(model, live, Stage.API), live.pool.workers

    def _table(self) -> Table:
        pools = {live.pool.id: live.pool.sockets for live in (*self.live.values(), *self._versions.values())}
        return Table(
            serial=next(self._serials),
            ready=self._ready,
            live={model: self._routes[model] for model in self.live},
            versions={key: self._routes[key] for key in self._versions},
            down=dict(self.down),
            untrained=dict(self._untrained),
            keys=dict(self._keys),
            pools=pools,
        )

    def _forget_versions_on(self, model: str, unless: Pool | None) -> None:
        """Versions that were opened on the pool which is live till now, and is about to stop, are to be opened anew."""
        old = self.live.get(model)
        if old is not None and old.pool is not unless:
            self._drop_versions(lambda key, live: live.pool is old.pool)


def series_of(model: str, live: Live, stage: Stage) -> Series:
    """As what requests to it are counted."""
    return Series(model, live.version.label, stage, live.version.commit, live.run or "")


def _route(model: str, live: Live) -> Route:
    """Raises ReleaseFailed for one that would make a table which no gateway can read."""
    serve = live.pool.release.manifest.serve
    route = Route(
        model=model,
        version=live.version.label,
        commit=live.version.commit,
        run=live.run or "",
        pool=live.pool.id,
        timeout_s=serve.timeout_s,
        max_queue=serve.max_queue,
        takes_any_type=live.pool.description.takes == "bytes",
    )
    try:
        return msgspec.json.decode(msgspec.json.encode(route), type=Route)
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise ReleaseFailed(f"no gateway could read its route: {error}", stage="load") from error
