"""Builds the daemon's parts from its settings, each from those before it, and starts none of them."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from functools import partial

from core.settings.settings import Settings
from loader.artifacts.shipped import SHIPPED, take_shipped
from server.access.key_follower import KeyFollower
from server.announcement import Announcement
from server.banner import Banner
from server.daemon import BackgroundTask, Daemon, Timer
from server.gateways.data_plane import DataPlane
from server.gateways.route_publisher import RoutePublisher
from server.http.peer import Peer
from server.http.server import AdminServer
from server.parts.artifact_pruning import build_artifact_pruning
from server.parts.counting import build_counting
from server.parts.gateways import GatewayAddresses, build_gateways, build_handlers
from server.parts.operating import build_operating
from server.parts.serving import build_serving
from server.parts.sharing import build_sharing
from server.process.data_dir import DataDir
from server.process.own_log import OwnLog
from server.process.running_file import RunningFile
from server.registry_part import build_registry
from server.source_choice import LOCAL
from server.traces.traces import Traces
from server.training.assembly import build_training
from server.training.shipped_first import train_after
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.control import TrainerControl
from trainer.catalogue.no_training import NoTraining
from trainer.catalogue.wishes import Control

_USAGE_S = 60.0
"""Seconds between two looks at what the server takes of the machine."""
_IDLE_S = 5.0
"""Between two looks for versions that nobody asks for any more."""
_LOG_S = 5.0
"""Between two looks at how large the log of a server in the background has become."""


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
    at = GatewayAddresses(listener, daemon=str(data.run / "daemon.sock"))
    port = listener.getsockname()[1]
    registry = build_registry(settings, data)
    counting = build_counting(data, registry.registry)
    traces = Traces(environ)
    gateways = build_gateways(settings, at, environ, traces.sampling)
    publisher = RoutePublisher(gateways.route_by, counting.batches.watch)
    serving = build_serving(settings, data, environ, registry, publisher, traces, counting.writer.take)
    reconciler, on_demand, steered = serving.reconciler, serving.on_demand, serving.steered
    handlers = build_handlers(on_demand, publisher, counting.traffic, registry.log, traces)

    parts = build_training(
        settings, data, environ, serving.source, reconciler, registry, serving.files, serving.accepted
    )
    training, trainer = parts.training, parts.training.trainer
    take = partial(take_shipped, LOCAL.absolute() / SHIPPED, serving.artifacts, serving.records)
    control: Control = TrainerControl(trainer, training.operations)
    if settings.trainer == "none":
        control = NoTraining(control.open)
    runs = RunCatalogue(serving.records, serving.artifacts, training.home, control)
    artifact_pruning = build_artifact_pruning(data, serving, training.lease, runs)

    operating = build_operating(settings, data, registry, serving, counting, runs, publisher, gateways, port)
    keys = KeyFollower(
        operating.access.keyring,
        reconciler.ready,
        is_needed=settings.auth == "keys",
        is_shared=bool(settings.database_url),
    )
    admin_port = None if admin_listener is None else admin_listener.getsockname()[1]
    banner = Banner(settings, port, admin_port, operating.access.sign_in.code)
    return Daemon(
        [
            # What the others write to and hand things to: stopped last, with all that they left in it.
            registry,
            traces,
            counting.writer,
            steered.ledger,
            steered.steering,
            # Models, from what was live before a restart on. Their workers end once no gateway has requests for them,
            # and once their batches were counted.
            serving.loader,
            counting.batches,
            BackgroundTask("what people decided", steered.follow),
            *build_sharing(settings.database_url, registry, serving, parts, operating),
            BackgroundTask("memory guard", serving.guard.run),
            BackgroundTask("pruning", partial(serving.pruning.run, reconciler.outcome)),
            BackgroundTask("pruning of artifacts", partial(artifact_pruning.run, reconciler.ready)),
            # Training: what keeps up with the cluster is there before the trainer asks it.
            *training.following,
            BackgroundTask("trainer", trainer.run if settings.git_path else partial(train_after, take, trainer)),
            BackgroundTask("list of runs", runs.run),
            # What answers. The daemon listens before gateways pass anything on to it, and until they have stopped.
            AdminServer(operating.app, at.daemon),
            *([AdminServer(Peer(operating.app), admin_listener)] if admin_listener is not None else []),
            BackgroundTask("keys", keys.run),
            DataPlane(listener, gateways, publisher, handlers),
            # What says that it is there.
            Announcement(reconciler, publisher, banner, operating.state, registry, keys.known, steered.ledger),
            RunningFile(data.path, banner.url, banner.admin_url),
            # What nothing waits for, and the open streams: these end first, for gateways let what is answered end.
            Timer("look at the source", settings.sync_seconds, serving.loader.look),
            Timer("end of idle versions", _IDLE_S, on_demand.stop_idle),
            operating.streams,
            Timer("look at the machine", _USAGE_S, operating.usage.add),
            *([Timer("bound of the log", _LOG_S, own_log.bound)] if (own_log := OwnLog(data.path)).is_ours else []),
        ]
    )
