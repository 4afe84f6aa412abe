"""The gateways: how they are started, and who is told what they say."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from core.events import Event, EventKind
from core.settings.settings import Settings
from gateway.messages import Counted, GatewayConfig, Sampling
from loader.controller.on_demand import OnDemand
from registry.event_log import EventLog
from server.gateways.connection_limit import allowed_connections
from server.gateways.gateway import Gateway
from server.gateways.gateways import Gateways, Handlers
from server.gateways.route_publisher import RoutePublisher
from server.gateways.version_starts import VersionStarts
from server.parts.serving import MEGABYTE
from server.traces.traces import Traces
from server.traffic.traffic import Traffic


@dataclass(frozen=True)
class GatewayAddresses:
    """Sockets between gateways and others."""

    listener: socket.socket
    """Where clients are."""
    daemon: str
    """Path of the socket at which the daemon answers what is not a model's."""


def build_gateways(
    settings: Settings, at: GatewayAddresses, environ: Mapping[str, str], sampling: Sampling | None
) -> Gateways:
    config = _config(settings, at.daemon, sampling)
    return Gateways(settings.gateways, partial(Gateway.start, at.listener, config, environ), config)


def build_handlers(
    on_demand: OnDemand, publisher: RoutePublisher, traffic: Traffic, events: EventLog, traces: Traces
) -> Handlers:
    return Handlers(
        open_version=VersionStarts(on_demand, publisher).open,
        counted=partial(_take, traffic, on_demand),
        lost=partial(_record_loss, events),
        traced=traces.take,
    )


def _take(traffic: Traffic, on_demand: OnDemand, counted: Counted) -> None:
    traffic.take(counted)
    on_demand.touch(counted.names)


def _record_loss(events: EventLog, message: str) -> None:
    events.record(Event(kind=EventKind.GATEWAY_LOST, message=message))


def _config(settings: Settings, daemon_socket: str, sampling: Sampling | None) -> GatewayConfig:
    return GatewayConfig(
        base=settings.base,
        needs_keys=settings.auth == "keys",
        has_admin=not settings.admin_bind,
        daemon=daemon_socket,
        cors_origins=settings.origins,
        max_body=settings.max_body_mb * MEGABYTE,
        max_buffered=settings.max_buffered_mb * MEGABYTE,
        body_timeout_s=settings.body_timeout_s,
        stop_timeout_s=settings.stop_timeout_s,
        connections=allowed_connections(),
        sampling=sampling,
    )
