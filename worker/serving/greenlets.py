"""A pool of greenlets, each of which runs one request after the other.

A new greenlet maps memory for its Python frames and unmaps it at its end, which costs more than everything else that a
small request needs of the loop. So a greenlet here doesn't end with its request: it puts itself on the idle list and
switches back to the loop, and the next switch to it brings the next request as the value of that `switch()`.

Reuse must be invisible to the author's code. A request gets a copy of the loop's context, so context variables that the
request before it set are gone. A greenlet that the author's code left a mark on (an attribute, or a weak reference,
which `WeakKeyDictionary`-like greenlet-locals keep) is not reused: it ends after its request, as a new one would.
"""

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
    """Hands out idle greenlets. Their parent is the greenlet that first calls `take`: the loop's."""

    def __init__(self, run: Callable[[T], None]) -> None:
        """`run` never raises."""
        self._run = run
        self._idle: list[RequestGreenlet] = []

    def take(self) -> RequestGreenlet:
        """A greenlet, in a fresh context: `take().switch(request)` runs the request in it. Once the request is done,
        the greenlet is idle again, unless the author's code left attributes or weak references on it."""
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
