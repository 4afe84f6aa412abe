"""One session as the batcher sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

SLOW_S = 0.0005
"""A call expected to take longer is worth a second thread: the hand-over and the contention for the GIL cost about a
tenth of a millisecond, and what runs in the loop's own thread keeps it from decoding and writing."""

_MEMORY = 0.2
"""Weight of the latest run in the moving averages: some ten runs are remembered."""


class Buffers(Protocol):
    """Buffers that are kept, through which merged calls run: a `Binding`, which loads numpy and so isn't named here."""

    def run(self, calls: Sequence[Any], rows: int) -> list[Any] | None: ...


class Batchable:
    """How to run one session, whether its calls may share a batch, and how long it took lately."""

    __slots__ = ("_notice", "_rows", "_seconds", "binding", "max_rows", "merges", "name", "run", "why")

    binding: Buffers | None
    """The buffers that calls which may be merged go through, where there are any."""

    def __init__(
        self,
        name: str,
        run: Callable[[list[str] | None, Mapping[str, Any]], list[Any]],
        *,
        max_rows: int,
        merges: bool,
        why: str,
        notice: Callable[[str], None],
    ) -> None:
        """`why`: why calls are merged, or why not, in words. `notice` is told when that changes."""
        self.name = name
        self.run = run
        self.max_rows = max_rows
        self.merges = merges
        self.why = why
        self.binding = None
        self._notice = notice
        self._seconds: float | None = None
        self._rows = 1.0

    def took(self, rows: int, seconds: float) -> None:
        """Remember how long a run of that many rows took."""
        rows = max(1, rows)
        if self._seconds is None:
            self._seconds, self._rows = seconds, rows
        else:
            self._seconds += _MEMORY * (seconds - self._seconds)
            self._rows += _MEMORY * (rows - self._rows)

    def is_slow(self, rows: int) -> bool:
        """Whether a run of that many rows is expected to outlast `SLOW_S`; an unknown session is taken for slow.

        More rows than usual are taken to cost in proportion, fewer to cost as much: both err towards slow, which
        costs a hand-over where the opposite error stops the loop.
        """
        return self._seconds is None or self._seconds * max(1.0, rows / self._rows) > SLOW_S

    def failed_together(self, why: str) -> None:
        """A batch failed whose calls then went through one by one. The buffers are given up first, then merging."""
        if self.binding is not None:
            self.stop_binding(why)
        else:
            self.stop_merging(f"a batch failed whose calls went through one by one ({why})")

    def stop_binding(self, why: str) -> None:
        """Have ONNX Runtime allocate what each batch needs from now on."""
        self.binding = None
        self._notice(f"batches of {self.name}.onnx no longer go through buffers that are kept: {why}")

    def stop_merging(self, why: str) -> None:
        """Run every call alone from now on."""
        self.binding = None
        if self.merges:
            self.merges, self.why = False, why
            self._notice(f"calls of {self.name}.onnx are no longer merged: {why}")
