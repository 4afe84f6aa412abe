"""The worker's loop: takes requests, runs them, runs their sessions' calls together, sends the answers.

An iteration reads all sockets, then runs every request that can go on. Only when no request can, it runs a batch of
calls: all that fit together of those that came in while the last batch ran. No timer is involved, so a lone request
waits for nobody.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from functools import partial
from queue import SimpleQueue

from ..errors import DeadlineExceeded
from ..formats.codecs import CODECS
from ..onnx.batch_wait import BatchWait
from ..onnx.batcher import Batch
from ..process.channel import Channel
from ..wire.status_page import COUNTERS, MAIN_SLOT, StatusPage
from .connection import Request
from .greenlets import Greenlets
from .listener import GatewayListener
from .poller import READ, WRITE, Poller
from .threads import BatchThread, Scores, ScoringThread
from .wakeup import Wakeup

_LONGEST_ITERATION_NS = 1_000_000
"""An iteration that has run requests for longer leaves the rest to the next one, so that finished answers are sent."""

_LONGEST_SLEEP_S = 2.0
"""Also with nothing to do: each iteration is a heartbeat, by which the daemon sees that the loop is not stuck."""

_REQUESTS, _CALLS, _ROWS, _BATCHES = (COUNTERS.index(name) for name in ("requests", "calls", "rows", "batches"))

_TOO_LATE = DeadlineExceeded("the deadline passed before the model began with the request")


class Loop:
    """Runs requests until told to drain.

    With `threads`, in so many threads; else in greenlets on this thread, which switch only where a session's call
    waits, and, unless `concurrent`, one at a time.
    """

    def __init__(
        self,
        listener: socket.socket,
        channel: Channel,
        status_page: StatusPage,
        batch_wait: BatchWait,
        scores: Scores,
        *,
        threads: int,
        concurrent: bool,
        max_batch: int,
        max_body: int,
    ) -> None:
        self._channel = channel
        self._status_page = status_page
        self._batch_wait = batch_wait
        self._scores = scores
        self._max_batch = max_batch
        self._poller = Poller()
        self._wakeup = Wakeup()
        self._waiting: deque[Request] = deque()
        self._listener = GatewayListener(listener, self._poller, max_body, self._waiting)
        self._greenlets: Greenlets[Request] = Greenlets(self._run_in_greenlet)
        self._running = 0
        self._most = threads or (None if concurrent else 1)
        self._handed_out: SimpleQueue[Request] = SimpleQueue()
        self._threads = [
            ScoringThread(number, self._handed_out, scores, status_page, self._finish_later)
            for number in range(threads)
        ]
        self._batches = BatchThread(
            status_page,
            batch_wait.batcher.take,
            lambda batch, more: self._wakeup.post(partial(self._batch_is_back, batch, more)),
        )
        self._batch_is_away = False
        self._gives_up = False
        batch_wait.wake_loop = self._wakeup.wake

    def run(self) -> None:
        """Return when drained. Raises DaemonGone."""
        self._poller.watch(self._channel.fileno(), lambda _: self._listen())
        self._poller.watch(self._wakeup.fileno(), lambda _: self._wakeup.clear())
        self._status_page.register_thread(MAIN_SLOT)
        for thread in (self._batches, *self._threads):
            thread.start()
        while not self._is_done:
            self._iterate()

    def close(self) -> None:
        """Close every descriptor: for a forked child, which would keep connections open that this process closes."""
        self._listener.close()
        self._channel.close()
        self._poller.close()
        self._wakeup.close()

    @property
    def _is_done(self) -> bool:
        """Whether all gateways have closed their connections and, unless the daemon said that some requests hang, all
        requests have run, also those whose callers have gone."""
        return self._listener.all_gone and (self._gives_up or not (self._running or self._waiting))

    def _iterate(self) -> None:
        may_sleep = not self._can_go_on() and self._wakeup.may_sleep()
        self._poller.wait(_LONGEST_SLEEP_S if may_sleep else 0)
        self._wakeup.run_callbacks()
        self._run_requests()
        self._send()
        self._run_batch()
        if self._batch_wait.awake:  # so that a lone request is answered in one iteration
            self._run_requests()
            self._send()

    def _send(self) -> None:
        """Send reports of failed requests before the answers, so that whoever has the answer finds the report."""
        if self._channel.unsent:
            self._channel.flush()
            self._poller.change(self._channel.fileno(), READ | WRITE * self._channel.unsent)
        self._listener.flush()

    def _can_go_on(self) -> bool:
        return bool(self._batch_wait.awake) or self._can_begin() or self._can_run_batch()

    def _can_begin(self) -> bool:
        return bool(self._waiting) and (self._most is None or self._running < self._most)

    def _can_run_batch(self) -> bool:
        return not self._batch_is_away and self._batch_wait.batcher.pending > 0

    def _run_requests(self) -> None:
        awake = self._batch_wait.awake
        now = time.monotonic_ns()
        end = now + _LONGEST_ITERATION_NS
        self._status_page.record_heartbeat(now)
        self._status_page.begin(MAIN_SLOT, now)
        while now < end:
            if awake:
                awake.popleft().switch()
            elif self._can_begin():
                self._begin(self._waiting.popleft(), now)
            else:
                break
            now = time.monotonic_ns()
        self._status_page.end(MAIN_SLOT)

    def _begin(self, request: Request, now_ns: int) -> None:
        request.connection.begin(request)
        if request.gone:
            return
        if 0 < request.deadline_ns <= now_ns:
            error = CODECS[request.format].encode_error(_TOO_LATE)
            request.connection.answer(request, _TOO_LATE.status, error)
            return
        self._running += 1
        request.begun_ns = now_ns
        self._status_page.count(_REQUESTS)
        if self._threads:
            self._handed_out.put(request)
        else:
            self._greenlets.take().switch(request)

    def _run_in_greenlet(self, request: Request) -> None:
        status, body = self._scores[request.format](request.body)
        self._finish(request, status, body)

    def _finish_later(self, request: Request, status: int, body: bytes) -> None:
        self._wakeup.post(partial(self._finish, request, status, body))

    def _finish(self, request: Request, status: int, body: bytes) -> None:
        self._running -= 1
        request.connection.answer(request, status, body)

    def _run_batch(self) -> None:
        """Run a batch when no request can go on, or when one is full: requests may come faster than they can begin."""
        is_full = self._batch_wait.batcher.pending >= self._max_batch
        if not self._can_run_batch() or not (is_full or not (self._batch_wait.awake or self._can_begin())):
            return
        batch = self._batch_wait.batcher.take()
        if batch is None:
            return
        if batch.slow:
            self._batch_is_away = True
            self._batches.put(batch)
        else:
            self._status_page.begin(MAIN_SLOT, time.monotonic_ns())
            batch.run()
            self._status_page.end(MAIN_SLOT)
            self._batch_is_back(batch)

    def _batch_is_back(self, batch: Batch, more: bool = False) -> None:
        self._batch_is_away = more
        self._status_page.count(_CALLS, len(batch.calls))
        self._status_page.count(_ROWS, batch.rows)
        self._status_page.count(_BATCHES)
        self._status_page.count_batch(batch.rows)
        self._batch_wait.resume(batch.calls)

    def _listen(self) -> None:
        for drain in self._channel.receive():
            self._gives_up = self._gives_up or drain.some_hang
            self._listener.stop_accepting()
