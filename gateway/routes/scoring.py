"""Has exchanges answered by models, traced or not."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.http.exchange import Exchange
from gateway.http.refusals import Refused
from gateway.http.statuses import CLIENT_GONE
from gateway.routes.all_models import Answers, score_all
from gateway.routes.dispatch import Dispatch
from gateway.routes.route_table import Target
from gateway.tracing.tracer import RequestTrace, Tracer, traced_body
from worker.wire.frames import Format
from worker.wire.spans import TRACED


class Scoring:
    """Sends what exchanges ask to workers."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch

    def score(self, exchange: Exchange, target: Target) -> None:
        """Have the exchange answered by the target."""
        is_post = exchange.method == b"POST"
        exchange.answer_headers = target.headers if is_post else target.get_headers
        try:
            flight = self._dispatch.send(target, exchange.body if is_post else b"", exchange.format, exchange)
        except Refused as refused:
            exchange.refuse(refused)
        else:
            exchange.on_leave = flight.cancel

    async def score_all(self, exchange: Exchange, targets: Mapping[str, Target]) -> Answers:
        """The answers of all targets, by model."""
        return await score_all(self._dispatch, targets, _body(exchange), Format.PAWL_JSON)


class TracedScoring(Scoring):
    """Likewise; those that are sampled are traced."""

    def __init__(self, dispatch: Dispatch, tracer: Tracer) -> None:
        super().__init__(dispatch)
        self._tracer = tracer

    def score(self, exchange: Exchange, target: Target) -> None:
        series = target.tally.series
        named = "" if series.role == "live" else "/{version}"
        trace = self._tracer.trace(exchange, f"/{target.model}{named}", series)
        if trace is None:
            super().score(exchange, target)
        else:
            self._score_traced(exchange, target, trace)

    async def score_all(self, exchange: Exchange, targets: Mapping[str, Target]) -> Answers:
        trace = self._tracer.trace(exchange, "/all")
        if trace is None:
            return await super().score_all(exchange, targets)
        try:
            body = traced_body(trace.context, _body(exchange))
            answers = await score_all(self._dispatch, targets, body, Format.PAWL_JSON | TRACED)
            trace.end(200)
            return answers
        finally:
            trace.end(CLIENT_GONE)

    def _score_traced(self, exchange: Exchange, target: Target, trace: RequestTrace) -> None:
        exchange.answer_headers = target.headers if exchange.method == b"POST" else target.get_headers
        body = traced_body(trace.context, _body(exchange))
        try:
            flight = self._dispatch.send(target, body, exchange.format | TRACED, trace)
        except Refused as refused:
            trace.refuse(refused)
            return

        def leave(status: int) -> None:
            flight.cancel(status)
            trace.end(status)

        exchange.on_leave = leave


def _body(exchange: Exchange) -> bytes:
    return exchange.body if exchange.method == b"POST" else b""
