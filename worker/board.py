"""A page of shared memory on which a worker writes what it is doing, and the daemon reads it.

Writing costs a store; reading needs no answer, so it works too when the worker hangs with the GIL held.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Sequence

COUNTERS = ("requests", "calls", "rows", "batches")
"""Counted since the worker's start: requests begun, calls of sessions, their rows, the batches they became."""

SLOTS = 1026
"""One for each of the threads that may run the author's code."""


_SIZE = 8 * (SLOTS + len(COUNTERS))
_NOTHING_RUNS = bytes(8 * SLOTS)


def new_page() -> int:
    """A descriptor of shared memory for a board. Raises OSError.

    Memory, and no file: a store into a page of a file waits while the disk writes that page, or its journal.
    """
    handle = os.memfd_create("pawl-board")
    try:
        os.posix_fallocate(handle, 0, _SIZE)  # or this fails, not whoever touches the page first
    except BaseException:
        os.close(handle)
        raise
    return handle


class Board:
    """Slices of author's code (when each began, in `time.monotonic_ns`, 0 when none runs) and counters.

    A slice is a stretch of the author's code without a switch, and the little of ours around it. Slot 0 is the main
    loop's, and may be said to have begun a millisecond too early; slot 1 is the batch thread's, the others belong to
    request threads (`serve.threads` has a bound).
    """

    def __init__(self, handle: int) -> None:
        """`handle`: what `new_page` gave, or a copy; it is closed."""
        try:
            self._map = mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)
        self._page = memoryview(self._map).cast("q")

    def close(self) -> None:
        """Give the memory and its descriptor back. What is read from here on is that nothing runs."""
        if not self._map.closed:
            self._page.release()
            self._page = memoryview(bytes(self._map.size())).cast("q")
            self._map.close()

    def begin(self, slot: int, now_ns: int) -> None:
        """`now_ns`: `time.monotonic_ns()`."""
        self._page[slot] = now_ns

    def end(self, slot: int) -> None:
        self._page[slot] = 0

    def count(self, counter: int, by: int = 1) -> None:
        """Add to `COUNTERS[counter]`. For one writing thread."""
        self._page[SLOTS + counter] += by

    def longest_slice_s(self) -> float:
        """Seconds that the oldest running slice has taken."""
        slots = self._page[:SLOTS]
        if slots.tobytes() == _NOTHING_RUNS:  # quickly: hundreds of workers are looked at, and most of them do nothing
            return 0.0
        begun: Sequence[int] = [at for at in slots if at]
        return (time.monotonic_ns() - min(begun)) / 1e9 if begun else 0.0

    def counters(self) -> dict[str, int]:
        return dict(zip(COUNTERS, self._page[SLOTS:], strict=True))
