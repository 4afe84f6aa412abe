"""When a request's time is over."""

from __future__ import annotations

import asyncio
import time
from typing import Any

SWEEP_S = 0.05
"""Seconds by which a 504 may be late. Looking through all requests so often costs less than a timer for each."""


class Flight:
    """A request that a worker has, the task that waits for its answer, and until when."""

    __slots__ = ("deadline_ns", "expired", "task")

    def __init__(self, task: asyncio.Task[Any], deadline_ns: int) -> None:
        self.task = task
        self.deadline_ns = deadline_ns
        self.expired = False


class Flights:
    """All requests that workers have."""

    def __init__(self) -> None:
        self._flights: set[Flight] = set()
        self._loop = asyncio.get_running_loop()
        self.end = self._flights.remove

    def begin(self, deadline_ns: int) -> Flight:
        """The running task now waits for a worker, until `end`."""
        task = asyncio.current_task(self._loop)
        assert task is not None
        flight = Flight(task, deadline_ns)
        self._flights.add(flight)
        return flight

    async def sweep(self) -> None:
        """Forever end those whose deadline has passed: their tasks are cancelled, with `expired` set."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now = time.monotonic_ns()
            for flight in [flight for flight in self._flights if flight.deadline_ns <= now]:
                if not flight.expired:
                    flight.expired = True
                    flight.task.cancel()
