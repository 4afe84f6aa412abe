"""The workers of one release as a gateway sees them: connections to choose among."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from operator import attrgetter

from gateway.http.refusals import refuse
from gateway.workers.link import Link
from worker.wire.client import WorkerConnection

_OUTSTANDING = attrgetter("outstanding")


class WorkerLinks:
    """Links to the workers of one release; its requests go to the least busy one."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._up: list[WorkerConnection] = []
        """Kept by the links."""

    @property
    def outstanding(self) -> int:
        return sum(connection.outstanding for connection in self._up)

    def pick(self, model: str, max_queue: int) -> WorkerConnection:
        """The connection for the next request. Raises Refused when there is none or all are full."""
        up = self._up
        if len(up) == 1 and not up[0].closed:
            chosen = up[0]
            outstanding = chosen.outstanding
        else:
            up = [each for each in up if not each.closed]  # its link takes it out, but a little later
            if not up:
                raise refuse("not_live", f"no worker of {model} is connected; one is being started")
            # Of those that are alike another one each time, or gateways that see the same would all choose the same.
            self._up.append(self._up.pop(0))
            each_has = list(map(_OUTSTANDING, up))
            chosen = up[each_has.index(min(each_has))]
            outstanding = sum(each_has)
        if outstanding >= max_queue + len(up):
            raise refuse("queue_full", f"{outstanding} requests to {model} are waiting or running; try again")
        return chosen

    def open(self, sockets: Iterable[str]) -> list[asyncio.Future[None]]:
        """Link to what is new in `sockets`; each future is done once the first try to connect is over."""
        new = [path for path in sockets if path not in self._links]
        for path in new:
            self._links[path] = Link(path, self._up)
        return [self._links[path].tried for path in new]

    def retire(self, keep: Iterable[str] = ()) -> None:
        """Send nothing more to workers that are not in `keep`; their connections close with their last answers."""
        for path in self._links.keys() - set(keep):
            self._links.pop(path).retire()
