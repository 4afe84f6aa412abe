"""Greenlets that are used again: a new one has memory mapped for its frames, and unmapped at its end, which costs more
than all else that a small request needs of the loop."""

from __future__ import annotations

import contextvars
import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from greenlet import getcurrent

from ..onnx.batch_wait import RequestGreenlet

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
        """One to switch to with what is to be run, in a context of its own. It is idle again once that has run, unless
        something was kept of it meanwhile: the next would find that, which is none of its own."""
        if not self._idle:
            RequestGreenlet(self._serve).switch()
        each = self._idle.pop()
        each.gr_context = contextvars.copy_context()
        return each

    def _serve(self) -> None:
        current = getcurrent()
        assert isinstance(current, RequestGreenlet)
        loop, run = current.parent, self._run
        assert loop is not None
        while len(self._idle) < _MOST_KEPT and not (vars(current) or weakref.getweakrefcount(current)):
            self._idle.append(current)
            run(loop.switch())
