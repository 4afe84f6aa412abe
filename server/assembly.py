"""Builds the daemon's parts from its settings, each from those before it, and starts none of them."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from core.events import Event, EventKind
from core.settings.settings import Settings
from core.task import every
from gateway.messages import Counted, GatewayConfig, Sampling
from loader.artifacts.shipped import SHIPPED, take_shipped
from loader.controller.on_demand import OnDemand
from loader.reconcile import Reconciler
from registry.event_log import EventLog
from server.access.keyring import Keyring
from server.announcement import Announcement
from server.banner import Banner
from server.daemon import BackgroundTask, Daemon
from server.gateways.connection_limit import allowed_connections
from server.gateways.data_plane import DataPlane
from server.gateways.gateways import Gateway, Gateways, Handlers
from server.gateways.route_publisher import RoutePublisher
from server.gateways.version_starts import VersionStarts
from server.http.peer import Peer
from server.http.server import AdminServer
from server.parts.artifact_pruning import build_artifact_pruning
from server.parts.counting import build_counting
from server.parts.operating import build_operating
from server.parts.serving import MEGABYTE, build_serving
from server.parts.sharing import build_sharing
from server.process.data_dir import DataDir
from server.process.listening import url_of
from server.process.running_file import RunningFile
from server.registry_part import RegistryPart
from server.source_choice import LOCAL
from server.traces.traces import Traces
from server.traffic.traffic import Traffic
from server.training import build_training, train_after
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.control import TrainerControl
from trainer.catalogue.no_training import NoTraining

_USAGE_S = 60.0
"""Seconds between two looks at what the server takes of the machine."""
_IDLE_S = 5.0
"""Between two looks for versions that nobody asks for any more."""


def assemble(
    settings: Settings,
    data: DataDir,
    listener: socket.socket,
    environ: Mapping[str, str],
    admin_listener: socket.socket | None = None,
) -> Daemon:
    """The daemon that those settings ask for. `environ`: what its children get, scrubbed of our secrets.

    `admin_listener`: where the admin API is reached; None: at `listener`, like the models.

    For the loop's own thread. Raises SettingError.
    """
    admin_socket = str(data.run / "daemon.sock")
    registry_part = _registry_part(settings, data)
    counting = build_counting(data, registry_part.registry)
    traces = Traces(environ)
    config = _gateway_config(settings, admin_socket, traces.sampling)
    gateways = Gateways(settings.gateways, partial(Gateway.start, listener, config, environ), config)
    publisher = RoutePublisher(gateways.route_by, counting.batches.watch)
    serving = build_serving(settings, data, environ, registry_part, publisher, traces, counting.writer.take)
    reconciler, on_demand, loading = serving.reconciler, serving.on_demand, serving.loading

    training = build_training(
        settings, data, environ, serving.source, reconciler, registry_part, serving.files, serving.accepted
    )
    trainer = training.trainer
    take = partial(take_shipped, LOCAL.absolute() / SHIPPED, serving.artifacts, serving.records)
    control = NoTraining() if settings.trainer == "none" else TrainerControl(trainer, training.operations)
    runs = RunCatalogue(serving.records, serving.artifacts, training.home, control)

    pruned = build_artifact_pruning(data, serving, training.lease, runs)

    operating = build_operating(
        settings,
        data,
        registry_part,
        serving,
        counting,
        runs,
        publisher,
        lambda: gateways.running,
        _models_url(settings, listener),
    )
    keyring = operating.access.keyring
    admin_port = None if admin_listener is None else admin_listener.getsockname()[1]
    banner = Banner(settings, listener.getsockname()[1], admin_port, operating.access.sign_in.code)
    handlers = Handlers(
        open_version=VersionStarts(on_demand, publisher).open,
        counted=partial(_take, counting.traffic, on_demand),
        lost=partial(_record_loss, registry_part.log),
        traced=traces.take,
    )
    return Daemon(
        [
            registry_part,
            traces,
            counting.writer,
            serving.steered.ledger,
            serving.steered.steering,
            loading,
            counting.batches,
            BackgroundTask("what people decided", serving.steered.follow),
            *build_sharing(settings.database_url, registry_part, serving, operating),
            BackgroundTask("memory guard", serving.guard.run),
            BackgroundTask("pruning", partial(serving.pruning.run, reconciler.outcome)),
            BackgroundTask("pruning of artifacts", partial(pruned.run, reconciler.ready)),
            *training.following,
            BackgroundTask("trainer", trainer.run if settings.git_path else partial(train_after, take, trainer)),
            BackgroundTask("list of runs", runs.run),
            AdminServer(operating.app, admin_socket),
            *([AdminServer(Peer(operating.app), admin_listener)] if admin_listener is not None else []),
            BackgroundTask("keys", partial(_follow_keys, settings, keyring, reconciler)),
            DataPlane(listener, gateways, publisher, handlers),
            Announcement(
                reconciler,
                publisher,
                banner,
                operating.state,
                registry_part,
                partial(_keys_are_known, settings, keyring),
                serving.steered.ledger,
            ),
            RunningFile(data.path, banner.url, banner.admin_url),
            _timer(settings.sync_seconds, loading.look, "look at the source"),
            _timer(_IDLE_S, on_demand.stop_idle, "end of idle versions"),
            operating.streams,
            _timer(_USAGE_S, operating.usage.add, "look at the machine"),
        ]
    )


async def _follow_keys(settings: Settings, keyring: Keyring, reconciler: Reconciler) -> None:
    """Where nobody may wait for them, not before what is served is live: what speaks to the database takes a third of
    a second to import."""
    if settings.auth == "open" and not settings.database_url and not keyring.known.made:
        await reconciler.ready.wait()
    await keyring.follow()


async def _keys_are_known(settings: Settings, keyring: Keyring) -> None:
    if settings.auth == "keys":
        await keyring.settled()


def _registry_part(settings: Settings, data: DataDir) -> RegistryPart:
    file = None if settings.database_url else data.path / "registry.db"
    return RegistryPart(settings.database_url or f"sqlite:///{file}", file, settings.audit_days)


def _timer(seconds: float, work: Callable[[], Awaitable[None]], name: str) -> BackgroundTask:
    return BackgroundTask(f"timer: {name}", partial(every, seconds, work, name))


def _take(traffic: Traffic, on_demand: OnDemand, counted: Counted) -> None:
    traffic.take(counted)
    on_demand.touch(counted.names)


def _record_loss(events: EventLog, message: str) -> None:
    events.record(Event(kind=EventKind.GATEWAY_LOST, message=message))


def _models_url(settings: Settings, listener: socket.socket) -> str:
    """Where models are asked, if elsewhere than the pages; behind a proxy nobody here knows its name."""
    return url_of(settings.host, listener.getsockname()[1]) + settings.base if settings.admin_bind else ""


def _gateway_config(settings: Settings, daemon_socket: str, sampling: Sampling | None) -> GatewayConfig:
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
