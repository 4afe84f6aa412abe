"""Calls of ONNX sessions that wait, and the batches they become.

There is no timer: a batch is whatever came in while the last one ran.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import msgspec

from .batchable import Batchable

_log = logging.getLogger("pawl.batcher")


class Call(msgspec.Struct, eq=False):
    """One `session.run` made inside a request."""

    __repr__ = object.__repr__  # a struct's own would show what was asked

    session: Batchable
    output_names: list[str] | None
    feeds: Mapping[str, Any]
    rows: int = 1
    key: Hashable | None = None
    """Calls with equal keys fit together; one without a key runs alone."""
    waiter: Any = None
    """The greenlet, or the lock of the thread, that waits for the outcome; `BatchWait` sets it, and wakes it once the
    batch has run."""
    outputs: Sequence[Any] | None = None
    """What came of it, or of the batch that it was a part of."""
    first_row: int | None = None
    """Where its rows begin in the outputs of a batch."""
    request: Any = None
    """The traced request that made it."""
    _exception: Exception | None = None

    def run(self) -> None:
        """Run alone. Never raises."""
        try:
            self.outputs = self.session.run(self.output_names, self.feeds)
        except Exception as error:
            # Its traceback would hold this frame, and the frame this call: a cycle for each failed request.
            self._exception = error.with_traceback(None)

    @property
    def failed(self) -> bool:
        return self._exception is not None

    def outcome(self) -> list[Any]:
        """The outputs of this call; raises what ONNX Runtime raised. To be called once.

        What was shared is copied: a view would keep the whole batch alive for as long as one caller keeps his answer.
        Here, and not in the thread that ran the batch, because numpy gives up the GIL for each that is large.
        """
        if self._exception is not None:
            exception, self._exception = self._exception, None
            try:
                raise exception
            finally:
                del exception  # its traceback holds this frame: the same cycle
        assert self.outputs is not None
        if self.first_row is None:
            return list(self.outputs)
        mine, outputs = slice(self.first_row, self.first_row + self.rows), []
        for output in self.outputs:  # before Python 3.12 a comprehension is another call
            outputs.append(output[mine].copy())  # noqa: PERF401
        return outputs


class Batch:
    """Calls that run together: one, or several with one key."""

    __slots__ = ("calls", "rows", "session", "slow")

    def __init__(self, calls: list[Call]) -> None:
        self.calls = calls
        self.session = calls[0].session
        self.rows = sum([call.rows for call in calls])  # a list, which is quicker than a generator
        self.slow = self.session.is_slow(self.rows)
        """Whether running it in a second thread pays."""

    def run(self) -> None:
        """Give each call its result or its exception. Never raises."""
        begun = time.perf_counter()
        if len(self.calls) == 1 and (self.session.binding is None or self.calls[0].key is None):
            self.calls[0].run()
        else:
            self._run_together()
        self.session.took(self.rows, time.perf_counter() - begun)

    def _run_together(self) -> None:
        try:
            outputs = run_together(self.calls, self.rows)
        except Exception as error:
            self._run_apart_after(error)
        else:
            self._share_out(outputs)

    def _run_apart_after(self, error: Exception) -> None:
        self._run_apart()
        if not any(call.failed for call in self.calls):
            self.session.failed_together(str(error))

    def _share_out(self, outputs: list[Any]) -> None:
        if not all(_has_rows(output, self.rows) for output in outputs):
            self._run_apart()
            self.session.stop_merging(f"{self.rows} rows went in and another number came out")
            return
        first_row = 0
        for call in self.calls:
            call.outputs, call.first_row = outputs, first_row
            first_row += call.rows

    def _run_apart(self) -> None:
        for call in self.calls:
            call.run()


class Batcher:
    """Where calls wait. Any thread may `add`; one takes."""

    def __init__(
        self,
        wait: Callable[[Call], None],
        can_wait: Callable[[], bool],
        notice: Callable[[str], None] = _log.warning,
        make: Callable[[list[Call]], Batch] = Batch,
    ) -> None:
        """`can_wait`: whether the caller runs inside a request. `wait` sets a call's `waiter`, adds the call, and
        returns once it has run. `notice` takes what the model's author should read, from any thread. `make` makes
        a batch of calls.
        """
        self.wait = wait
        self.can_wait = can_wait
        self.notice = notice
        self._make = make
        self._waiting: deque[Call] = deque()

    def add(self, call: Call) -> None:
        self._waiting.append(call)

    @property
    def pending(self) -> int:
        """How many calls wait."""
        return len(self._waiting)

    def take(self) -> Batch | None:
        """The next batch: the oldest call and those that fit with it."""
        return self._make(choose(self._waiting)) if self._waiting else None


def choose(waiting: deque[Call]) -> list[Call]:
    """Remove the oldest call, and with it, oldest first, those of its key that fit into its session's `max_rows`.

    The others keep their order. Needs no lock while only one thread chooses: others append on the right, and what
    is passed over goes back on the left.
    """
    first = waiting.popleft()
    chosen, key, room = [first], first.key, first.session.max_rows - first.rows
    if key is None or not first.session.merges:
        return chosen
    passed_over: list[Call] = []
    while room > 0 and waiting:
        call = waiting.popleft()
        if call.key == key and call.rows <= room:
            chosen.append(call)
            room -= call.rows
        else:
            passed_over.append(call)
    waiting.extendleft(reversed(passed_over))
    return chosen


def run_together(calls: list[Call], rows: int) -> list[Any]:
    """The outputs of calls with one key. Raises what ONNX Runtime raises."""
    first, binding = calls[0], calls[0].session.binding
    outputs = binding.run(calls, rows) if binding is not None else None
    return first.session.run(first.output_names, _gather(calls, rows)) if outputs is None else outputs


def _gather(calls: list[Call], rows: int) -> dict[str, Any]:
    from .joining import join_rows  # only here, for it loads numpy: a folder without ONNX never gets here

    return {name: join_rows([call.feeds[name] for call in calls], rows) for name in calls[0].feeds}


def _has_rows(output: Any, rows: int) -> bool:
    shape: tuple[int, ...] = getattr(output, "shape", ())
    return len(shape) > 0 and shape[0] == rows
