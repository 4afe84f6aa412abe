"""Waiting for what a test needs, instead of for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 100.0

T = TypeVar("T")


def wait_for(
    look: Callable[[], T],
    what: str,
    said: Callable[[], str] = str,
    alive: Callable[[], bool] = lambda: True,
    patience_s: float = PATIENCE_S,
) -> T:
    """What `look` returns once that is true."""
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < patience_s:
        found = look()
        if found:
            return found
        if not alive():
            break
        time.sleep(min(0.05, 0.01 + waited / 50))  # what it waits for needs the machine's time more than the look does
    raise AssertionError(f"waited in vain for {what}\n{said()}")
