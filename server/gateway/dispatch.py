"""One request's way to a worker and back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from server.gateway.count import CLIENT_GONE
from server.gateway.link import Link
from server.gateway.refusal import Refused, refuse
from server.gateway.routing import Target
from worker.client import Answer, WorkerBusy, WorkerLost

log = logging.getLogger("pawl.gateway")

SWEEP_S = 0.05
"""Seconds by which a 504 may be late. Looking through all requests so often costs less than a timer for each."""

OnAnswer = Callable[[int, bytes], object]
"""Gets the worker's status and body."""
OnRefusal = Callable[[Refused], object]


class Flight:
    """A request that a worker has: it ends with an answer, a refusal, or `cancel`, and is counted then."""

    __slots__ = ("_answered", "_began_ns", "_flights", "_id", "_link", "_refused", "_target", "deadline_ns")

    def __init__(
        self, target: Target, link: Link, flights: set[Flight], on_answer: OnAnswer, on_refusal: OnRefusal
    ) -> None:
        self._target = target
        self._link = link
        self._flights = flights
        self._answered = on_answer
        self._refused = on_refusal
        self._began_ns = time.monotonic_ns()
        self.deadline_ns = self._began_ns + target.timeout_ns

    def begin(self, body: bytes) -> None:
        """Raises WorkerLost and WorkerBusy."""
        self._id = self._link.send(body, self.deadline_ns, self)
        self._flights.add(self)

    def answered(self, status: int, body: bytes) -> None:
        self._end(status)
        self._answered(status, body)

    def lost(self) -> None:
        self._refuse(_lost(self._target))

    def expire(self) -> None:
        """Its time is over."""
        self._link.forget(self._id)
        seconds = self._target.timeout_ns / 1e9
        self._refuse(refuse(504, "deadline_exceeded", f"{self._target.model} has not answered within {seconds:g} s"))

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if self in self._flights:
            self._link.forget(self._id)
            self._end(CLIENT_GONE)

    def _refuse(self, refused: Refused) -> None:
        self._end(refused.status)
        self._refused(refused)

    def _end(self, status: int) -> None:
        self._flights.remove(self)
        self._link.release()
        self._target.tally.add(status, (time.monotonic_ns() - self._began_ns) / 1e9)


class Dispatch:
    """Sends bodies to targets, each at most once, and counts what became of them."""

    def __init__(self) -> None:
        self._flights: set[Flight] = set()

    def send(self, target: Target, body: bytes, on_answer: OnAnswer, on_refusal: OnRefusal) -> Flight:
        """One of the two is called once, later, unless the flight is cancelled. Raises Refused."""
        try:
            return self._begin(target, body, on_answer, on_refusal)
        except Refused as refused:
            target.tally.add(refused.status, 0.0)
            raise

    async def score(self, target: Target, body: bytes) -> Answer:
        """The worker's answer. Raises Refused."""
        outcome: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def answered(status: int, body: bytes) -> None:
            if not outcome.done():
                outcome.set_result(Answer(status, body))

        def refused(why: Refused) -> None:
            if not outcome.done():
                outcome.set_exception(why)

        flight = self.send(target, body, answered, refused)
        try:
            return await outcome
        finally:
            flight.cancel()

    def _begin(self, target: Target, body: bytes, on_answer: OnAnswer, on_refusal: OnRefusal) -> Flight:
        link = target.pool.pick(target.model, target.max_queue)
        flight = Flight(target, link, self._flights, on_answer, on_refusal)
        try:
            flight.begin(body)
        except WorkerLost:
            raise _lost(target) from None
        except WorkerBusy:
            raise refuse(503, "queue_full", f"the worker of {target.model} reads no more for now; try again") from None
        return flight

    async def sweep(self) -> None:
        """Forever end the flights whose deadline has passed."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = time.monotonic_ns()
            for flight in [flight for flight in self._flights if flight.deadline_ns <= now]:
                try:
                    flight.expire()
                except Exception:
                    log.exception("a failure of Pawl's own, in giving a request up")


def _lost(target: Target) -> Refused:
    return refuse(502, "worker_lost", f"the worker of {target.model} that had the request has ended")
