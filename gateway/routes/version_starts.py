"""Requests for versions that are not running: the daemon is asked to start each one, and the requests wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from gateway.http.refusals import Refused, refuse
from gateway.messages import Start, Started

WAIT_S = 60.0
"""Seconds that a request waits for its version to be started."""
_MOST_WAITING = 256
"""Requests that wait at one time, for all versions together."""


class VersionStarts:
    """What the daemon has been asked to start, once for each version, however many requests wait for it."""

    def __init__(self, ask: Callable[[Start], None]) -> None:
        self._ask = ask
        self._tickets = count(1)
        self._by_ticket: dict[int, _Asked] = {}
        self._by_version: dict[tuple[str, str], _Asked] = {}
        self._waiting = 0

    async def wait_for(self, model: str, version: str) -> None:
        """Return once the table has the version. Raises Refused."""
        if self._waiting >= _MOST_WAITING:
            raise refuse("queue_full", f"{self._waiting} requests wait for versions to be started; try again")
        asked = self._by_version.get((model, version)) or self._start(model, version)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                started = await asyncio.shield(asked.answer)
        except TimeoutError:
            self._forget(asked)
            raise refuse("not_live", f"{model} {version} has not started within {WAIT_S:g} s; try again") from None
        finally:
            self._waiting -= 1
        if started.error is not None:
            raise Refused(started.error)

    def finish(self, started: Started) -> None:
        """Take the daemon's answer."""
        asked = self._by_ticket.pop(started.ticket, None)
        if asked is not None:
            asked.answer.set_result(started)
            self._forget(asked)

    def _start(self, model: str, version: str) -> _Asked:
        asked = _Asked(model, version)
        ticket = next(self._tickets)
        self._by_ticket[ticket] = self._by_version[model, version] = asked
        self._ask(Start(ticket=ticket, model=model, version=version))
        return asked

    def _forget(self, asked: _Asked) -> None:
        """Let the next request ask anew."""
        if self._by_version.get((asked.model, asked.version)) is asked:
            del self._by_version[asked.model, asked.version]


class _Asked:
    """A version that the daemon has been asked for, and its answer to come."""

    def __init__(self, model: str, version: str) -> None:
        self.model = model
        self.version = version
        self.answer: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
