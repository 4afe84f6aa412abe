"""What the author's code prints, and libraries that it uses: each line goes out when it is whole."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_IOLBF = 1
"""By line; setvbuf(3)."""


def show_lines_at_once() -> None:
    """Python's own output, and that of libraries in C, which would come in blocks where it is not to a terminal."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with suppress(ValueError):  # a C library without that name
        libc = ctypes.CDLL(None)
        libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _IOLBF, 0)


def flush_libraries() -> None:
    """What is left of the output of libraries in C, which `os._exit` would drop."""
    ctypes.CDLL(None).fflush(None)
