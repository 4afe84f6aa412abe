"""The worker's threads besides the loop's own."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue

from ..onnx.batch_wait import RequestThread
from ..onnx.batcher import Batch
from ..process.exits import give_up
from ..wire.status_page import BATCH_SLOT, FIRST_REQUEST_SLOT, StatusPage
from .connection import Request

Score = Callable[[bytes], tuple[int, bytes]]
"""From the body of a request to the HTTP status and the body that answer it. Never raises."""
Scores = Mapping[int, Score]
"""By the format of the body."""


class BatchThread(threading.Thread):
    """Runs batches, so that meanwhile the loop can decode what comes in."""

    def __init__(
        self, status_page: StatusPage, take: Callable[[], Batch | None], done: Callable[[Batch, bool], None]
    ) -> None:
        """Both are called in this thread: `take` for what has come to wait while a batch ran, `done` with a batch, and
        whether another is about to run."""
        super().__init__(name="pawl-batches", daemon=True)
        self._status_page = status_page
        self._take = take
        self._done = done
        self._batches: SimpleQueue[Batch] = SimpleQueue()

    def put(self, batch: Batch) -> None:
        self._batches.put(batch)

    def run(self) -> None:
        self._status_page.register_thread(BATCH_SLOT)
        try:
            while True:
                self._run_batches(self._batches.get())
        except BaseException:
            give_up()

    def _run_batches(self, batch: Batch | None) -> None:
        while batch is not None:
            self._status_page.begin(BATCH_SLOT, time.monotonic_ns())
            batch.run()
            self._status_page.end(BATCH_SLOT)
            following = self._take()
            self._done(batch, following is not None)
            batch = following


class ScoringThread(RequestThread):
    """One of the threads in which the requests of a class that waits on the network run."""

    def __init__(
        self,
        number: int,
        requests: SimpleQueue[Request],
        scores: Scores,
        status_page: StatusPage,
        done: Callable[[Request, int, bytes], None],
    ) -> None:
        """`done` is called in this thread."""
        super().__init__(name=f"pawl-requests-{number}", daemon=True)
        self.slot = FIRST_REQUEST_SLOT + number
        self._requests = requests
        self._scores = scores
        self._status_page = status_page
        self._done = done

    def run(self) -> None:
        self._status_page.register_thread(self.slot)
        try:
            context = contextvars.copy_context()
            while True:
                self._run_request(self._requests.get(), context.copy())
        except BaseException:
            give_up()

    def _run_request(self, request: Request, context: contextvars.Context) -> None:
        self._status_page.begin(self.slot, time.monotonic_ns())
        status, body = context.run(self._scores[request.format], request.body)
        self._status_page.end(self.slot)
        self._done(request, status, body)
