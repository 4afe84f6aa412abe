"""Traced requests: each has a span, from when the worker begins with it until its answer is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

import msgspec

from ..wire.spans import CONTEXT_SIZE, Span, SpanContext, Traced, unpack_context

Say = Callable[[Traced], None]
"""Takes spans that have ended, from any thread."""
_FIRST_FAILURE = 500


class TracedRequest(msgspec.Struct, eq=False):
    """The span of a request that runs."""

    context: SpanContext
    batches: list[tuple[str, str]]
    """Ids of the batches that calls of it ran in."""


CURRENT: ContextVar[TracedRequest | None] = ContextVar("the traced request that runs here", default=None)


def traced(score: Callable[[bytes], tuple[int, bytes]], model: str, say: Say) -> Callable[[bytes], tuple[int, bytes]]:
    """As `score`, for bodies that begin with their span's context. Each call must have a context of its own."""

    def score_traced(body: bytes) -> tuple[int, bytes]:
        caller = unpack_context(body)
        request = TracedRequest(caller.child(), [])
        CURRENT.set(request)
        began_ns = time.time_ns()
        status, answer = score(body[CONTEXT_SIZE:])
        span = Span(
            name=f"predict {model}",
            ids=request.context.ids,
            parent=caller.span.hex(),
            began_ns=began_ns,
            ended_ns=time.time_ns(),
            attributes={"pawl.model": model, "http.response.status_code": status},
            links=request.batches,
            failed=status >= _FIRST_FAILURE,
        )
        say(Traced([span]))
        return status, answer

    return score_traced
