"""Sends a request to a worker, and hands its answer, or the lack of one, to whoever sent the request."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol

import msgspec

from gateway.http.refusals import Refused, refuse
from gateway.http.statuses import BODILESS, CLIENT_GONE
from gateway.routes.route_table import Target
from worker.wire.client import Answer, WorkerBusy, WorkerConnection, WorkerLost

log = logging.getLogger("pawl.gateway")

SWEEP_S = 0.05
"""Seconds by which a 504 may be late. Looking through all requests so often costs less than a timer for each."""

_STATUSES = frozenset(range(200, 600)) - BODILESS
"""Those that a worker's answer may have: with another, its body would be read as the answer to the next request."""


class RequestSender(Protocol):
    """Who sent a request: one of the two is called once, later, unless its flight is cancelled."""

    def answer(self, status: int, body: bytes) -> None:
        """Gets the worker's status and body."""

    def refuse(self, refused: Refused) -> None:
        """There is none."""


class Flight(msgspec.Struct, eq=False):
    """A request that a worker has: it ends with an answer, a refusal, or `cancel`, and is counted then."""

    __repr__ = object.__repr__  # a struct's own would show all other flights

    target: Target
    connection: WorkerConnection
    sender: RequestSender
    flights: set[Flight]
    """Where it is for as long as it lasts."""
    began_ns: int
    deadline_ns: int
    id: int = 0
    """On the connection."""

    def begin(self, body: bytes, format: int) -> None:
        """Raises WorkerLost and WorkerBusy."""
        self.id = self.connection.send(body, self.deadline_ns, self, format)
        self.flights.add(self)

    def answered(self, status: int, body: bytes, begun_ns: int) -> None:
        if status not in _STATUSES:
            wrong = f"the worker of {self.target.model} answered with status {status}, which no model's answer has"
            self._refuse(refuse("bad_worker_answer", wrong))
            return
        if begun_ns:
            self.flights.remove(self)
            began_ns = self.began_ns
            self.target.tally.add_queued(status, time.monotonic_ns() - began_ns, max(0, begun_ns - began_ns))
        else:
            self._end(status)
        self.sender.answer(status, body)

    def lost(self) -> None:
        self._refuse(_lost(self.target))

    def expire(self) -> None:
        """Its time is over."""
        self.connection.forget(self.id)
        seconds = self.target.timeout_ns / 1e9
        self._refuse(refuse("deadline_exceeded", f"{self.target.model} has not answered within {seconds:g} s"))

    def cancel(self, status: int = CLIENT_GONE) -> None:
        """Nobody waits for it any more. `status`: what it counts as."""
        if self in self.flights:
            self.connection.forget(self.id)
            self._end(status)

    def _refuse(self, refused: Refused) -> None:
        self._end(refused.status)
        self.sender.refuse(refused)

    def _end(self, status: int) -> None:
        self.flights.remove(self)
        self.target.tally.add(status, time.monotonic_ns() - self.began_ns)


class Dispatch:
    """Sends bodies to targets, each at most once, and counts what became of them."""

    def __init__(self) -> None:
        self._flights: set[Flight] = set()

    def send(self, target: Target, body: bytes, format: int, sender: RequestSender) -> Flight:
        """Raises Refused."""
        try:
            connection = target.links.pick(target.model, target.max_queue)
            now = time.monotonic_ns()
            flight = Flight(target, connection, sender, self._flights, now, now + target.timeout_ns)
            flight.begin(body, format)
            return flight
        except Refused as refused:
            _counted(target, refused)
            raise
        except WorkerLost:
            raise _counted(target, _lost(target)) from None
        except WorkerBusy:
            busy = f"the worker of {target.model} reads no more for now; try again"
            raise _counted(target, refuse("queue_full", busy)) from None

    async def score(self, target: Target, body: bytes, format: int) -> Answer:
        """The worker's answer. Raises Refused."""
        sender = _Future(asyncio.get_running_loop().create_future())
        flight = self.send(target, body, format, sender)
        try:
            return await sender.outcome
        finally:
            flight.cancel()

    async def sweep(self) -> None:
        """Refuse flights whose deadline has passed, again and again."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = time.monotonic_ns()
            for flight in [flight for flight in self._flights if flight.deadline_ns <= now]:
                try:
                    flight.expire()
                except Exception:
                    log.exception("a failure of Pawl's own, in giving a request up")


class _Future:
    """Who sent a request and waits for what comes of it."""

    def __init__(self, outcome: asyncio.Future[Answer]) -> None:
        self.outcome = outcome

    def answer(self, status: int, body: bytes) -> None:
        # Whoever waits may have been cancelled in this very tick, and not have run since.
        if not self.outcome.done():
            self.outcome.set_result(Answer(status, body))

    def refuse(self, refused: Refused) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(refused)


def _counted(target: Target, refused: Refused) -> Refused:
    target.tally.add(refused.status, 0)
    return refused


def _lost(target: Target) -> Refused:
    return refuse("worker_lost", f"the worker of {target.model} that had the request has ended")
