"""One request's way to a worker and back."""

from __future__ import annotations

import asyncio
import time

from server.gateway.count import CLIENT_GONE
from server.gateway.deadline import Flights
from server.gateway.refusal import Refused, refuse
from server.gateway.routing import Target
from worker.client import Answer, WorkerLost


class Dispatch:
    """Sends bodies to targets, each at most once, and counts what became of them."""

    def __init__(self, flights: Flights) -> None:
        self._flights = flights

    async def score(self, target: Target, body: bytes) -> Answer:
        """The worker's answer. Raises Refused."""
        began = time.monotonic_ns()
        status = CLIENT_GONE
        try:
            answer = await self._send(target, body, began + target.timeout_ns)
            status = answer.status
        except Refused as refused:
            status = refused.status
            raise
        finally:
            target.tally.add(status, (time.monotonic_ns() - began) / 1e9)
        return answer

    async def _send(self, target: Target, body: bytes, deadline_ns: int) -> Answer:
        link = target.pool.pick(target.model, target.max_queue)
        flight = self._flights.begin(deadline_ns)
        try:
            return await link.request(body, deadline_ns)
        except WorkerLost:
            raise refuse(502, "worker_lost", f"the worker of {target.model} that had the request has ended") from None
        except asyncio.CancelledError:
            if not flight.expired:
                raise
            flight.task.uncancel()
            raise _too_late(target) from None
        finally:
            self._flights.end(flight)


def _too_late(target: Target) -> Refused:
    seconds = target.timeout_ns / 1e9
    return refuse(504, "deadline_exceeded", f"{target.model} has not answered within {seconds:g} s")
