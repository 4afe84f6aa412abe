"""Where a request waits while the batcher runs its session's call together with those of other requests."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from greenlet import getcurrent, greenlet

from ..wire.status_page import StatusPage
from .batcher import Batch, Batcher, Call


class RequestGreenlet(greenlet):
    """One request on the loop's thread; its parent is the loop."""


class RequestThread(threading.Thread):
    """A thread that runs requests; `slot` is its own on the status page."""

    slot: int


def can_wait() -> bool:
    """Whether a session's call made here may wait: in a request only, not in a greenlet of the author's, and not under
    a running asyncio loop."""
    current = getcurrent()
    if type(current) is not RequestGreenlet and not _is_request_thread(current):
        return False
    asyncio = sys.modules.get("asyncio")
    return asyncio is None or asyncio._get_running_loop() is None


def _is_request_thread(current: greenlet) -> bool:
    return current.parent is None and isinstance(threading.current_thread(), RequestThread)


class BatchWait:
    """Gives calls to the batcher, and queues the greenlets whose calls are done."""

    def __init__(
        self, status_page: StatusPage, notice: Callable[[str], None], make: Callable[[list[Call]], Batch] = Batch
    ) -> None:
        """`notice` takes what the model's author should read, from any thread. `make` makes a batch of calls."""
        self.batcher = Batcher(self.wait, can_wait, notice, make)
        self.awake: deque[greenlet] = deque()
        """In the order of their calls."""
        self.wake_loop: Callable[[], None] = _no_loop
        """Has the loop look at the batcher; set by the loop, called by request threads."""
        self._status_page = status_page

    def wait(self, call: Call) -> None:
        """Return once the call has its result. Only where `can_wait()`."""
        current = getcurrent()
        if type(current) is RequestGreenlet:
            loop = current.parent
            assert loop is not None
            call.waiter = current
            self.batcher.add(call)
            loop.switch()
        else:
            self._wait_in_thread(call)

    def resume(self, calls: Iterable[Call]) -> None:
        """Wake those that wait for `calls`, which have run: the loop resumes greenlets one after the other, threads go
        on at once."""
        for call in calls:
            waiter = call.waiter
            if type(waiter) is RequestGreenlet:
                self.awake.append(waiter)
            else:
                waiter.release()

    def _wait_in_thread(self, call: Call) -> None:
        thread = threading.current_thread()
        assert isinstance(thread, RequestThread)
        call.waiter = done = threading.Lock()
        done.acquire()
        self._status_page.end(thread.slot)
        self.batcher.add(call)
        self.wake_loop()
        done.acquire()
        self._status_page.begin(thread.slot, time.monotonic_ns())


def _no_loop() -> None:
    raise RuntimeError("a session's call waits for a batch, but the worker's loop has not started")
