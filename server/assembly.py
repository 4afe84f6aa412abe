"""Builds the daemon's parts from its settings, each from those before it, and starts none of them."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from core.events import Event, EventKind
from core.release import Release
from core.settings import Settings
from core.task import every
from gateway.messages import Counted, GatewayConfig
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.shipped import SHIPPED, take_shipped
from loader.artifacts.store import ArtifactStore
from loader.controller.on_demand import OnDemand
from loader.controller.pruning import Pruning
from loader.controller.release_names import RUN, ReleaseNames
from loader.environments.environment import Environments
from loader.reconcile import Reconciler
from loader.releases.live_file import LiveFile
from loader.releases.proofs import ProofStore
from loader.releases.store import ReleaseStore
from loader.sources.source import Source
from loader.workers.memory_guard import MemoryGuard
from loader.workers.pool import Pool
from loader.workers.process.warm_workers import WarmWorkers
from loader.workers.report import Report
from loader.workers.starter import Starter, WorkerDefaults
from registry.event_log import EventLog
from server.access.assembly import build_access
from server.access.keyring import Keyring
from server.announcement import Announcement
from server.app import Routed, build_app
from server.banner import Banner
from server.daemon import BackgroundTask, Daemon
from server.gateways.connection_limit import allowed_connections
from server.gateways.data_plane import DataPlane
from server.gateways.gateways import Gateway, Gateways, Handlers
from server.gateways.key_grants import KeyGrants
from server.gateways.routes import RoutePublisher
from server.gateways.version_starts import VersionStarts
from server.http.access import Access
from server.http.admin_api import Admin
from server.http.event_streams import EventStreams
from server.http.events_api import EventsApi
from server.http.keys_api import KeysApi
from server.http.logs_api import LogsApi
from server.http.models_api import ModelsApi
from server.http.openapi.openapi_api import OpenApiApi
from server.http.peer import Peer
from server.http.runs_api import RunsApi
from server.http.server import AdminServer
from server.http.session_api import SessionApi
from server.http.steering_api import SteeringApi
from server.http.traffic_api import TrafficApi
from server.http.uploads_api import UploadsApi
from server.http.versions_api import VersionsApi
from server.loading import Loading
from server.pages.assembly import PageParts, build_pages
from server.process.data_dir import DataDir
from server.process.running_file import RunningFile
from server.record import Record
from server.source_choice import LOCAL, followed, open_source
from server.state import model_state, server_state
from server.steering.assembly import build_steering
from server.steering.decided import Decided
from server.steering.ledger import DeploymentLedger
from server.steering.run_artifacts import artifact_of
from server.traffic.batches import BatchCounts
from server.traffic.happenings import Happenings
from server.traffic.history import TrafficHistory
from server.traffic.leftover import Leftover
from server.traffic.metrics import Metrics
from server.traffic.system import Followed, SystemReader
from server.traffic.system_families import system_families
from server.traffic.traffic import Traffic
from server.traffic.writer import TrafficWriter
from server.training import build_training, decisions, train_after
from server.uploads.uploads import Uploads
from server.versions.deployments import Deployments
from server.versions.situations import Situations
from server.versions.versions import Parts, Versions
from trainer.accepted import AcceptedArtifacts
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.control import TrainerControl
from trainer.catalogue.no_training import NoTraining

_MEGABYTE = 1024 * 1024
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
    record = _record(settings, data)
    live_file = LiveFile(data.path / "live.json", followed(settings))
    source = open_source(settings, data, live_file)

    config = _gateway_config(settings, admin_socket)
    gateways = Gateways(settings.gateways, partial(Gateway.start, listener, config, environ), config)
    traffic_writer = TrafficWriter(record.registry, Leftover(data.path / "traffic.waiting"))
    traffic = Traffic([traffic_writer.take])
    batches = BatchCounts(traffic.add)
    publisher = RoutePublisher(gateways.route_by, batches.watch)

    files = open_files(settings.artifacts, data.path)
    artifacts = ArtifactStore(files)
    release_store = ReleaseStore(data.path / "releases", artifacts)
    environments = Environments(data.path / "envs", environ, settings.environment_timeout_s)
    warm_workers = WarmWorkers()
    proofs = ProofStore(data.path / "proofs")
    starter = Starter(
        release_store,
        environments,
        _worker_defaults(settings, data, environ),
        warm_workers=warm_workers,
        proofs=proofs,
    )
    start_pool = partial(starter.start, source=source)
    accepted = AcceptedArtifacts()
    happenings = Happenings(record.log.record)
    records = RunRecords(files)
    decided = Decided()
    ledger = DeploymentLedger(record.registry, decided.read, live_file.live(), bool(settings.database_url))
    reconciler = Reconciler(
        source,
        start_pool,
        publisher,
        live_file,
        happenings.record,
        lambda: decided.over(decisions(accepted)),
        decided.look_for,
        ledger.observe,
    )
    names = ReleaseNames(source, reconciler, partial(artifact_of, records))
    on_demand = OnDemand(
        names.find, _one_worker_starter(starter, source, publisher), publisher, settings.version_idle_s
    )
    steered = build_steering(
        settings, data, record.registry, record.log, source, reconciler, names, on_demand, records, decided, ledger
    )
    loading = Loading(reconciler, on_demand, starter, warm_workers, steered.known)
    pruning = Pruning(
        release_store, environments, partial(_needed, starter, reconciler), reconciler.followed, proofs=proofs
    )
    guard = MemoryGuard(starter.pools, relieve=warm_workers.give_up)

    training = build_training(settings, data, environ, source, reconciler, record, files, accepted)
    trainer = training.trainer
    take = partial(take_shipped, LOCAL.absolute() / SHIPPED, artifacts, records)
    control = NoTraining() if settings.trainer == "none" else TrainerControl(trainer, training.operations)
    runs = RunCatalogue(records, artifacts, training.home, control)
    state = partial(server_state, source.where, reconciler, runs.newest)
    system = SystemReader(
        followed=partial(_followed, source, reconciler),
        gateways=lambda: gateways.running,
        pools=starter.pools,
        registry=record.registry,
        database_url=settings.database_url or "sqlite:",
    )
    of_system = partial(system_families, system, happenings)
    metrics = Metrics(state, loading.serving_pools, traffic.totals, runs.counts, of_system)
    grants = KeyGrants(publisher, is_needed=settings.auth == "keys")
    access_parts = build_access(settings, record.log, record.registry, grants.hand_out)
    access, streams = Access(settings, access_parts.known, access_parts.sessions), EventStreams()
    keys_api = KeysApi(access, access_parts.keyring)
    situations = Situations(reconciler, on_demand.pools)
    versions = Versions(Parts(source, reconciler, names, situations, proofs, release_store, runs, record.registry))
    history = TrafficHistory(record.registry, traffic_writer)
    pages = build_pages(
        PageParts(
            base=settings.base,
            access=access,
            access_parts=access_parts,
            keys_api=keys_api,
            state=state,
            event_log=record.log,
            source=source,
            reconciler=reconciler,
            registry=record.registry,
            runs=runs,
            versions=versions,
            lines=starter.printed_lines,
            situations=situations,
            steering=steered.steering,
            history=history,
            system=system,
        )
    )
    uploads = Uploads(
        source, reconciler, starter, record.log, data.path / "uploads", settings.upload_max_mb * _MEGABYTE
    )
    apis: list[Routed] = [
        UploadsApi(access, uploads),
        Admin(access, reconciler),
        ModelsApi(access, state, partial(model_state, reconciler, runs.newest), record.log),
        VersionsApi(access, versions, Deployments(record.registry)),
        LogsApi(access, starter.printed_lines, versions, situations, streams),
        EventsApi(access, record.log, streams),
        RunsApi(access, runs, situations.is_known, streams, record.log.tell),
        keys_api,
        SessionApi(settings.base, access_parts.sign_in),
        TrafficApi(access, history, system, situations.is_known, partial(_label, source, names)),
        SteeringApi(access, steered.steering, streams, settings.base),
        OpenApiApi(access, settings.base),
    ]
    app = build_app(settings.base, apis, pages, metrics)
    handlers = Handlers(
        open_version=VersionStarts(on_demand, publisher).open,
        counted=partial(_take, traffic, on_demand),
        lost=partial(_record_loss, record.log),
    )
    keys_are_known = partial(_keys_are_known, settings, access_parts.keyring)
    admin_port = None if admin_listener is None else admin_listener.getsockname()[1]
    banner = Banner(settings, listener.getsockname()[1], admin_port, access_parts.sign_in.code)
    return Daemon(
        [
            record,
            traffic_writer,
            steered.ledger,
            steered.steering,
            loading,
            batches,
            BackgroundTask("what people decided", steered.follow),
            BackgroundTask("memory guard", guard.run),
            BackgroundTask("pruning", partial(pruning.run, reconciler.outcome)),
            *training.following,
            BackgroundTask("trainer", trainer.run if settings.git_path else partial(train_after, take, trainer)),
            BackgroundTask("list of runs", runs.run),
            AdminServer(app, admin_socket),
            *([AdminServer(Peer(app), admin_listener)] if admin_listener is not None else []),
            BackgroundTask("keys", partial(_follow_keys, settings, access_parts.keyring, reconciler)),
            DataPlane(listener, gateways, publisher, handlers),
            Announcement(reconciler, publisher, banner, state, record, keys_are_known, ledger),
            RunningFile(data.path, banner.url, banner.admin_url),
            _timer(settings.sync_seconds, loading.look, "look at the source"),
            _timer(_IDLE_S, on_demand.stop_idle, "end of idle versions"),
            streams,
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


def _record(settings: Settings, data: DataDir) -> Record:
    file = None if settings.database_url else data.path / "registry.db"
    return Record(settings.database_url or f"sqlite:///{file}", file, settings.audit_days)


def _timer(seconds: float, work: Callable[[], Awaitable[None]], name: str) -> BackgroundTask:
    return BackgroundTask(f"timer: {name}", partial(every, seconds, work, name))


def _needed(starter: Starter, reconciler: Reconciler) -> set[Release]:
    """Releases that have processes, or that one may go back to."""
    return {*starter.in_use(), *reconciler.last_live()}


def _take(traffic: Traffic, on_demand: OnDemand, counted: Counted) -> None:
    traffic.take(counted)
    on_demand.touch(counted.names)


def _followed(source: Source, reconciler: Reconciler) -> Followed:
    ready = reconciler.ready.is_set()
    return Followed(ready=ready, source=source.where, problem=reconciler.problem, seen_at=reconciler.seen_at)


def _label(source: Source, names: ReleaseNames, model: str, name: str) -> str:
    """What requests to that version are counted as."""
    if name.startswith(RUN):
        names.find(model, name)
        return name
    return source.resolve(model, name).version.label


def _record_loss(events: EventLog, message: str) -> None:
    events.record(Event(kind=EventKind.GATEWAY_LOST, message=message))


def _worker_defaults(settings: Settings, data: DataDir, environ: Mapping[str, str]) -> WorkerDefaults:
    return WorkerDefaults(
        environ=environ,
        run=data.run,
        max_body=settings.max_body_mb * _MEGABYTE,
        variables=settings.variables,
        device=settings.device,
        start_timeout_s=settings.start_timeout_s,
    )


def _one_worker_starter(
    starter: Starter, source: Source, publisher: RoutePublisher
) -> Callable[[Release, Callable[[Report], None]], Awaitable[Pool]]:
    """Starts a pool of one worker, for a version asked for by name."""

    def start(release: Release, report: Callable[[Report], None]) -> Awaitable[Pool]:
        return starter.start(
            release, source=source, replicas=1, progress=lambda _: None, changed=publisher.refresh, report=report
        )

    return start


def _gateway_config(settings: Settings, daemon_socket: str) -> GatewayConfig:
    return GatewayConfig(
        base=settings.base,
        needs_keys=settings.auth == "keys",
        has_admin=not settings.admin_bind,
        daemon=daemon_socket,
        cors_origins=settings.origins,
        max_body=settings.max_body_mb * _MEGABYTE,
        max_buffered=settings.max_buffered_mb * _MEGABYTE,
        body_timeout_s=settings.body_timeout_s,
        stop_timeout_s=settings.stop_timeout_s,
        connections=allowed_connections(),
    )
