"""Calls that may never return, each with an end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import TypeVar

T = TypeVar("T")


class Late(Exception):
    """The call took longer than it may, or too many before it still do."""


class Deadlines:
    """Runs each call in a thread of its own, and leaves it there when it is late.

    A call into a dead mount can't be interrupted. So that not every retry leaves a thread, calls are refused while
    `most_left` are still under way past their deadline.
    """

    def __init__(self, most_left: int = 8) -> None:
        self._most_left = most_left
        self._left: set[Future[object]] = set()
        self._lock = Lock()

    def run(self, work: Callable[[], T], seconds: float) -> T:
        """What `work` returns or raises. Raises Late."""
        with self._lock:
            self._left = {one for one in self._left if not one.done()}
            if len(self._left) >= self._most_left:
                raise Late(f"{len(self._left)} earlier calls still hang")
        future: Future[T] = Future()
        Thread(target=_run, args=(work, future), name="store", daemon=True).start()
        try:
            return future.result(seconds)
        except TimeoutError:
            if future.done():
                return future.result()
            with self._lock:
                self._left.add(future)  # type: ignore[arg-type]
            raise Late(f"it took longer than {seconds:,.0f} s") from None


def _run(work: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
