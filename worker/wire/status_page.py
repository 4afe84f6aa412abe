"""A page of shared memory on which a worker writes what it is doing, and the daemon reads it.

Writing costs a store; reading needs no answer, so it works too when the worker hangs with the GIL held.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import threading

COUNTERS = ("requests", "calls", "rows", "batches")
"""Counted since the worker's start: requests begun, calls of sessions, their rows, the batches they became."""

SLOTS = 1026
"""One for each of the threads that may run the author's code."""
MAIN_SLOT, BATCH_SLOT, FIRST_REQUEST_SLOT = range(3)
"""The main loop's, the batch thread's, and the first of the request threads' (`serve.threads` has a bound)."""

BATCH_SIZES = 12
"""Batches are counted by how many rows they have: up to 1, 2, 4 and so on up to 1,024, and more."""

_SIZES = SLOTS + len(COUNTERS)
_HEARTBEAT = _SIZES + BATCH_SIZES
_THREADS = _HEARTBEAT + 1
_CELLS = _THREADS + SLOTS
_NOTHING_RUNS = bytes(8 * SLOTS)
_DUMP = -(-8 * _CELLS // mmap.PAGESIZE) * mmap.PAGESIZE
_SIZE = _DUMP + (1 << 18)
"""Bytes. The rest is for tracebacks, and takes memory once there are some."""


def new_page() -> int:
    """A descriptor of shared memory for a status page. Raises OSError.

    Anonymous memory, because a store into the page of a mapped file waits while the disk writes that page. Its size is
    sealed: whoever reads a mapped page that the author's code has cut off is ended by SIGBUS, and the daemon reads it.
    """
    handle = os.memfd_create("pawl-status-page", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.posix_fallocate(handle, 0, _DUMP)  # or this fails, not whoever touches the page first
        os.truncate(handle, _SIZE)
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        os.lseek(handle, _DUMP, os.SEEK_SET)  # what is written to any copy of the descriptor is a traceback
    except BaseException:
        os.close(handle)
        raise
    return handle


class StatusPage:
    """Slices of author's code (when each began, in `time.monotonic_ns`, 0 when none runs), counters, the main loop's
    last heartbeat, and what faulthandler wrote.

    A slice is a stretch of the author's code between two switches of greenlets, with the little of ours around it. The
    main loop may record a slice's start up to a millisecond too early, for it reads the clock once for several.
    """

    def __init__(self, handle: int) -> None:
        """`handle`: what `new_page` gave, or a copy; it is closed."""
        try:
            self._map = mmap.mmap(handle, _SIZE)
        finally:
            os.close(handle)
        self._page = memoryview(self._map)[: 8 * _CELLS].cast("q")

    def close(self) -> None:
        """Give the memory and its descriptor back. What is read from here on is that nothing runs."""
        if not self._map.closed:
            self._page.release()
            self._page = memoryview(bytes(8 * _CELLS)).cast("q")
            self._map.close()

    def begin(self, slot: int, now_ns: int) -> None:
        """`now_ns`: `time.monotonic_ns()`."""
        self._page[slot] = now_ns

    def end(self, slot: int) -> None:
        self._page[slot] = 0

    def count(self, counter: int, by: int = 1) -> None:
        """Add to `COUNTERS[counter]`. For one writing thread."""
        self._page[SLOTS + counter] += by

    def count_batch(self, rows: int) -> None:
        """A batch of so many rows has run. For one writing thread."""
        self._page[_SIZES + min(max(0, rows - 1).bit_length(), BATCH_SIZES - 1)] += 1

    def record_heartbeat(self, now_ns: int) -> None:
        """The main loop begins an iteration, which it does about every two seconds even when it has nothing to do."""
        self._page[_HEARTBEAT] = now_ns

    def register_thread(self, slot: int) -> None:
        """Record that the calling thread uses `slot`."""
        self._page[_THREADS + slot] = threading.get_native_id()

    @property
    def heartbeat_ns(self) -> int:
        """When the main loop began its last iteration; 0 before the first."""
        return self._page[_HEARTBEAT]

    def thread(self, slot: int) -> int:
        """The kernel's id of the slot's thread; 0 where there is none."""
        return self._page[_THREADS + slot]

    def slices(self) -> dict[int, int]:
        """When each running slice began, by its slot."""
        slots = self._page[:SLOTS]
        if slots.tobytes() == _NOTHING_RUNS:  # quickly: hundreds of workers are looked at, and most of them do nothing
            return {}
        return {slot: at for slot, at in enumerate(slots) if at}

    def tracebacks(self) -> str:
        """All that faulthandler wrote here."""
        if self._map.closed:
            return ""
        end = self._map.find(b"\0", _DUMP)
        return self._map[_DUMP:end].decode("utf-8", "replace")

    def counters(self) -> dict[str, int]:
        return dict(zip(COUNTERS, self._page[SLOTS:_SIZES], strict=True))

    def batch_sizes(self) -> list[int]:
        """How many batches of each of `BATCH_SIZES` sizes have run."""
        return self._page[_SIZES:_HEARTBEAT].tolist()

    @property
    def is_closed(self) -> bool:
        return self._map.closed
