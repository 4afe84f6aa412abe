"""Who began a request's trace: the `traceparent` that its caller sent (W3C Trace Context), or nobody."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from gateway.messages import Sampling
from worker.wire.spans import SpanContext

_PARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_UNKNOWN_VERSION = b"ff"
_SAMPLED = 1
_MOST = 1 << 64


class Parent(NamedTuple):
    """The caller's span."""

    context: SpanContext
    is_sampled: bool


def parse_parent(header: bytes | None) -> Parent | None:
    """None for what is not a valid `traceparent`: then the trace begins here."""
    match = _PARENT.fullmatch(header.strip()) if header else None
    if match is None or match[1] == _UNKNOWN_VERSION or (match[1] == b"00" and match[5]):
        return None
    trace, span = bytes.fromhex(match[2].decode()), bytes.fromhex(match[3].decode())
    if not any(trace) or not any(span):
        return None
    return Parent(SpanContext(trace, span), bool(int(match[4], 16) & _SAMPLED))


def new_trace() -> SpanContext:
    """The context of a span that begins a trace."""
    return SpanContext(os.urandom(16), os.urandom(8))


def is_sampled(sampling: Sampling, parent: Parent | None, trace: bytes) -> bool:
    """Whether a request is traced. The share goes by the trace's id, as OpenTelemetry's TraceIdRatioBased does, so that
    all who see a trace decide alike."""
    if parent is not None and sampling.heeds_parent:
        return parent.is_sampled
    return int.from_bytes(trace[8:]) < sampling.share * _MOST
