"""Greenlets that are used again: a new one has memory mapped for its frames, and unmapped at its end, which costs more
than all else that a small request needs of the loop."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Generic, TypeVar

from greenlet import getcurrent

from .parking import RequestGreenlet

_MOST_KEPT = 256
"""Some 20 KB each."""

T = TypeVar("T")


class Greenlets(Generic[T]):
    """Runs one thing after the other in greenlets below the one that first takes them."""

    def __init__(self, run: Callable[[T], None]) -> None:
        """`run` never raises."""
        self._run = run
        self._idle: list[RequestGreenlet] = []

    def take(self) -> RequestGreenlet:
        """One to switch to with what is to be run, in a context of its own. It is idle again once that has run."""
        each = self._idle.pop() if self._idle else RequestGreenlet(self._serve)
        each.gr_context = contextvars.copy_context()
        return each

    def _serve(self, what: T | None) -> None:
        current = getcurrent()
        assert isinstance(current, RequestGreenlet)
        assert current.parent is not None
        while what is not None:
            self._run(what)
            what = None  # nor is it kept until the next comes
            if len(self._idle) < _MOST_KEPT:
                self._idle.append(current)
                what = current.parent.switch()
