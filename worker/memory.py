"""What the C library keeps of freed memory."""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""mallopt(3); the first applies to the heap's free end, the second to each allocation."""

_MOST_KEPT = 16 << 20
"""Bytes."""
_LARGEST_KEPT = 4 << 20


def give_back() -> None:
    """Return what is free now to the system."""
    _call("malloc_trim", 0)


def keep_what_is_freed() -> None:
    """Up to 16 MB, in pieces of up to 4. Bodies of a megabyte come and go: with memory that is the system's in between,
    each is hundreds of page faults."""
    _call("mallopt", _M_TRIM_THRESHOLD, _MOST_KEPT)
    _call("mallopt", _M_MMAP_THRESHOLD, _LARGEST_KEPT)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None)  # only glibc has it
    if function is not None:
        function(*arguments)
