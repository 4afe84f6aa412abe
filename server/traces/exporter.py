"""Sends spans to a collector, by OpenTelemetry's SDK, which this module alone knows; imported where one is named.

The SDK's own thread sends. What a collector doesn't take in time is dropped, and nothing waits for it.
"""

from __future__ import annotations

import logging
import socket

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from worker.wire.spans import Span

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("pawl")
_SERVICE = "pawl"


class OtlpSpans:
    """Takes spans, and has them sent a little later. What it is to know comes from OpenTelemetry's variables."""

    def __init__(self) -> None:
        # The SDK warns of each span that is dropped; the exporter says once why.
        logging.getLogger("opentelemetry.sdk._shared_internal").setLevel(logging.ERROR)
        self._resource = _resource()
        self._processor = BatchSpanProcessor(OTLPSpanExporter())

    def take(self, spans: list[Span]) -> None:
        """Never blocks."""
        for span in spans:
            self._processor.on_end(_readable(span, self._resource))

    def close(self) -> None:
        """Send what is left; blocks until that is done or given up."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]


def _resource() -> Resource:
    """What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, which win, and who we are."""
    ours = Resource({"service.name": _SERVICE, "service.instance.id": socket.gethostname()})
    said = Resource.create()
    if str(said.attributes.get("service.name", "")).startswith("unknown_service"):
        said = Resource({name: value for name, value in said.attributes.items() if name != "service.name"})
    return ours.merge(said)


def _readable(span: Span, resource: Resource) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=_context(span.ids),
        parent=_context((span.ids[0], span.parent), is_remote=span.is_server) if span.parent else None,
        resource=resource,
        attributes=span.attributes,
        links=[Link(_context(ids)) for ids in span.links],
        kind=SpanKind.SERVER if span.is_server else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
        start_time=span.began_ns,
        end_time=span.ended_ns,
        instrumentation_scope=_SCOPE,
    )


def _context(ids: tuple[str, str], is_remote: bool = False) -> SpanContext:
    return SpanContext(int(ids[0], 16), int(ids[1], 16), is_remote, _SAMPLED)
