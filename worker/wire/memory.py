"""What a process takes of memory, and what the C library keeps of it once it is freed."""

from __future__ import annotations

import ctypes
import os

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""mallopt(3); the first applies to the heap's free end, the second to each allocation."""

MOST_KEPT = 16 << 20
"""Bytes."""
_LARGEST_KEPT = 4 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")


def private_memory(pid: int) -> int:
    """Bytes of anonymous memory of a process (proc_pid_statm(5)); 0 if it has gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            _, resident, of_files, *_ = map(int, file.read().split())
    except (OSError, ValueError):  # one that has ended and is not waited for yet has an empty one
        return 0
    return (resident - of_files) * _PAGE


def keep_what_is_freed() -> None:
    """Up to 16 MB, in pieces of up to 4. Bodies of a megabyte come and go: with memory that is the system's in between,
    each is hundreds of page faults. More stays where a small piece above it is in use, until `give_back`."""
    _call("mallopt", _M_TRIM_THRESHOLD, MOST_KEPT)
    _call("mallopt", _M_MMAP_THRESHOLD, _LARGEST_KEPT)


def give_back() -> None:
    """Return all that is free now to the system."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)  # only glibc has it
    if function is not None:
        function(*arguments)
