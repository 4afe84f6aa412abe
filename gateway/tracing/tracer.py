"""The spans of the requests that a gateway sends to workers, until they are reported to the daemon."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

from core.traffic.bucket import Series
from gateway.http.exchange import Exchange
from gateway.http.refusals import Refused
from gateway.messages import Sampling
from gateway.tracing.parents import is_sampled, new_trace, parse_parent
from worker.wire.spans import Span, SpanContext

_MOST_UNREPORTED = 5_000
"""Spans; of more, the oldest are dropped."""
_FIRST_FAILURE = 500


class RequestTrace:
    """The span of one request. It takes the request's answer in place of who sent it, and passes that on."""

    def __init__(self, exchange: Exchange, route: str, series: Series | None, keep: Callable[[Span], object]) -> None:
        """`route`: the template of its path. `series`: what is asked; None: all models."""
        parent = parse_parent(exchange.fields.get(b"traceparent"))
        self.parent = parent
        self.context = parent.context.child() if parent else new_trace()
        self._exchange = exchange
        self._route = route
        self._series = series
        self._keep = keep
        self._began_ns = time.time_ns()
        self._is_over = False

    def answer(self, status: int, body: bytes) -> None:
        self.end(status)
        self._exchange.answer(status, body)

    def refuse(self, refused: Refused) -> None:
        self.end(refused.status)
        self._exchange.refuse(refused)

    def end(self, status: int) -> None:
        """Keep the span, once: its first status counts."""
        if self._is_over:
            return
        self._is_over = True
        self._keep(
            Span(
                name=f"{_text(self._exchange.method)} {self._route}",
                ids=self.context.ids,
                parent=self.parent.context.span.hex() if self.parent else "",
                began_ns=self._began_ns,
                ended_ns=time.time_ns(),
                attributes=self._attributes(status),
                is_server=True,
                failed=status >= _FIRST_FAILURE,
            )
        )

    def _attributes(self, status: int) -> dict[str, str | int]:
        """By OpenTelemetry's conventions for HTTP servers; of the query nothing, for it may hold what is secret."""
        exchange, fields = self._exchange, self._exchange.fields
        found: dict[str, str | int] = {
            "http.request.method": _text(exchange.method),
            "http.route": self._route,
            "http.response.status_code": status,
            "url.path": _text(exchange.path),
            "url.scheme": _text(fields.get(b"x-forwarded-proto", b"http")),
            "client.address": exchange.client,
        }
        address = _address(_text(fields.get(b"host", b"")))
        error = str(status) if status >= _FIRST_FAILURE else ""
        named = {"user_agent.original": _text(fields.get(b"user-agent", b"")), "error.type": error}
        return found | address | {name: value for name, value in named.items() if value} | _asked(self._series)


class Tracer:
    """Decides which requests are traced, and keeps their spans until they are taken."""

    def __init__(self, sampling: Sampling, base: str) -> None:
        self._sampling = sampling
        self._base = base
        self._ended: deque[Span] = deque(maxlen=_MOST_UNREPORTED)

    def trace(self, exchange: Exchange, route: str, series: Series | None = None) -> RequestTrace | None:
        """The trace of a request that begins now; None where it is not traced. `route`: below the base path."""
        trace = RequestTrace(exchange, self._base + route, series, self._ended.append)
        return trace if is_sampled(self._sampling, trace.parent, trace.context.trace) else None

    def take(self) -> list[Span]:
        """What has ended since the last call."""
        taken = list(self._ended)
        self._ended.clear()
        return taken


def traced_body(context: SpanContext, body: bytes) -> bytes:
    """As the frame of a traced request has it."""
    return context.pack() + body


def _asked(series: Series | None) -> dict[str, str | int]:
    if series is None:
        return {}
    asked = {"model": series.model, "version": series.version, "commit": series.commit, "role": series.role}
    return {f"pawl.{name}": value for name, value in asked.items() if value}


def _address(host: str) -> dict[str, str | int]:
    """Of the server, as the client names it."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return {}
    return ({"server.address": name} if name else {}) | ({"server.port": port} if port else {})


def _text(sent: bytes) -> str:
    return sent.decode("utf-8", "replace")
