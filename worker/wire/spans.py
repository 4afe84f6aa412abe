"""Spans: what took how long in a request that is traced, as gateways and workers tell the daemon.

A request's frame carries the context of its span before the body, and `TRACED` in its format says so. A request that is
not traced costs nothing of this.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import msgspec

TRACED = 1 << 15
"""In the format of a frame: the body begins with a packed `SpanContext`."""
CONTEXT_SIZE = 24
"""Bytes of a packed context."""
_TRACE_SIZE = 16


class SpanContext(NamedTuple):
    """A span's ids, as W3C Trace Context has them."""

    trace: bytes
    span: bytes

    def pack(self) -> bytes:
        return self.trace + self.span

    def child(self) -> SpanContext:
        """Of a new span of the same trace."""
        return SpanContext(self.trace, os.urandom(8))

    @property
    def ids(self) -> tuple[str, str]:
        """In hexadecimal digits."""
        return self.trace.hex(), self.span.hex()


def unpack_context(body: bytes) -> SpanContext:
    """The context that a traced request's body begins with."""
    return SpanContext(body[:_TRACE_SIZE], body[_TRACE_SIZE:CONTEXT_SIZE])


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a request. Times are in nanoseconds since 1970, ids in hexadecimal digits."""

    name: str
    ids: tuple[str, str]
    """Of its trace, and its own."""
    parent: str = ""
    """Empty: it begins its trace."""
    began_ns: int
    ended_ns: int
    attributes: dict[str, str | int] = {}
    links: list[tuple[str, str]] = []
    """Ids of spans that it has to do with: a batch's requests, a request's batches."""
    is_server: bool = False
    """Whether it is how a client's request was answered."""
    failed: bool = False


class Traced(msgspec.Struct, frozen=True, tag=True):
    """To the daemon: spans that have ended."""

    spans: list[Span]
