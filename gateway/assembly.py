"""Builds a gateway from what the daemon says, and starts nothing."""

from __future__ import annotations

from gateway.counts import Counts
from gateway.daemon_channel import DaemonChannel
from gateway.gateway import Gateway
from gateway.http.bodies import BodyBudget
from gateway.http.cors import Cors
from gateway.http.limits import Limits
from gateway.http.server import HttpServer
from gateway.messages import GatewayConfig
from gateway.routes.application import Application
from gateway.routes.current import CurrentTable
from gateway.routes.dispatch import Dispatch
from gateway.routes.forwarding import Forwarding
from gateway.routes.scoring import Scoring, TracedScoring
from gateway.routes.version_starts import VersionStarts
from gateway.tracing.tracer import Tracer


def build_gateway(config: GatewayConfig, channel: DaemonChannel) -> Gateway:
    counts, dispatch, starts = Counts(), Dispatch(), VersionStarts(channel.send)
    current = CurrentTable(config.base, counts, needs_keys=config.needs_keys)
    tracer = Tracer(config.sampling, config.base) if config.sampling is not None else None
    bodies = BodyBudget(config.max_body, config.max_buffered)
    application = Application(
        base=config.base,
        has_admin=config.has_admin,
        current=current,
        bodies=bodies,
        scoring=Scoring(dispatch) if tracer is None else TracedScoring(dispatch, tracer),
        starts=starts,
        forward=Forwarding(config.daemon),
        cors=Cors(config.base, config.cors_origins) if config.cors_origins else None,
    )
    limits = Limits(body_s=config.body_timeout_s, connections=config.connections)
    http = HttpServer(application, bodies, limits, config.stop_timeout_s)
    return Gateway(channel, counts, current, dispatch, starts, bodies, http, tracer)
