"""The route table in force, and the links to the pools that it names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from gateway.counts import Counts
from gateway.messages import Table
from gateway.routes.keys import Callers
from gateway.routes.route_table import RouteTable
from gateway.workers.links import WorkerLinks

_NOTHING_YET = Table(serial=0)


class CurrentTable:
    """Holds the route table in force, and replaces it by the next one."""

    def __init__(self, base: str, counts: Counts, *, needs_keys: bool = False) -> None:
        self._base = base
        self._counts = counts
        self._links: dict[str, WorkerLinks] = {}
        self.routes = RouteTable(base, _NOTHING_YET, {}, counts, Callers({}) if needs_keys else None)
        """Used for the next request."""

    async def apply(self, table: Table) -> None:
        """Return once requests are routed by `table`, over connections that are already made."""
        await self._open(table.pools)
        before = self.routes.callers
        callers = None if before is None else Callers(table.keys, before)
        self.routes = RouteTable(self._base, table, self._links, self._counts, callers)
        self._retire(table.pools)

    def outstanding(self) -> dict[str, int]:
        """Requests outstanding, by pool."""
        return {name: links.outstanding for name, links in self._links.items()}

    def close(self) -> None:
        self._retire({})

    async def _open(self, pools: Mapping[str, Iterable[str]]) -> None:
        tried = [
            tried for name, paths in pools.items() for tried in self._links.setdefault(name, WorkerLinks()).open(paths)
        ]
        if tried:
            await asyncio.wait(tried)

    def _retire(self, pools: Mapping[str, Iterable[str]]) -> None:
        for name, links in list(self._links.items()):
            links.retire(keep=pools.get(name, ()))
            if name not in pools:
                del self._links[name]
