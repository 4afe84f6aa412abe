"""How a worker's process ends by itself."""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """Exit as Python does, but wait for no thread of the author's."""
    atexit._run_exitfuncs()
    _flush()
    os._exit(status)


def give_up() -> NoReturn:
    """End the process over the exception that is being handled, at once: a thread of ours can't go on, requests would
    wait for it for ever, and the daemon starts another worker. Neither threads nor exit handlers hold that up."""
    try:
        traceback.print_exc()
        _flush()
    finally:
        os._exit(1)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
