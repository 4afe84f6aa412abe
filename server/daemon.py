"""The daemon: puts the parts together, starts them in order, and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial

import uvicorn

from core.events import Event, EventKind
from core.release import Release
from core.settings import Settings, scrubbed
from core.task import every, spawn
from gateway.messages import Counted, GatewayConfig
from loader.controller.on_demand import OnDemand
from loader.controller.pruning import Pruning
from loader.environments.environment import Environments
from loader.reconcile import Reconciler
from loader.releases.live_file import LiveFile
from loader.releases.store import ReleaseStore
from loader.sources.source import Source
from loader.workers.memory_guard import MemoryGuard
from loader.workers.pool import Pool
from loader.workers.process.warm_workers import WarmWorkers
from loader.workers.report import Report
from loader.workers.starter import Starter, WorkerDefaults
from registry.event_writer import EventWriter
from server.app import build_app
from server.banner import Banner
from server.event_log import KEPT, EventLog
from server.gateways.connection_limit import allowed_connections
from server.gateways.gateways import Gateway, Gateways
from server.gateways.routes import RoutePublisher
from server.gateways.version_starts import VersionStarts
from server.http.admin_api import Admin
from server.pages.pages import Pages
from server.process.data_dir import DataDir
from server.source_choice import followed, open_source
from server.state import server_state
from server.traffic.metrics import Metrics

log = logging.getLogger("pawl")

_MEGABYTE = 1024 * 1024
_NOT_READY_S = 0.5
"""Between saying that we are not ready and accepting nothing more, so that whoever asks can notice."""
_WORKERS_END_S = 2.0
"""For what authors do when Python exits; no request is left by then."""
_WRITE_DOWN_S = 2.0
_IDLE_S = 5.0
"""Between two looks for versions that nobody asks for any more."""


class Daemon:
    """Everything, composed. No logic of its own beyond the order of things."""

    def __init__(self, settings: Settings, home: DataDir, listener: socket.socket) -> None:
        environ = scrubbed(os.environ)
        self._settings = settings
        self._listener = listener
        self._admin_socket = str(home.run / "daemon.sock")
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._banner = Banner(settings, listener.getsockname()[1])
        self._timers: list[asyncio.Task[None]] = []
        self._event_log = EventLog()
        file = None if settings.database_url else home.path / "registry.db"
        self._event_writer = EventWriter(settings.database_url or f"sqlite:///{file}", self._remember, KEPT, file=file)

        last_good = LiveFile(home.path / "live.json", followed(settings))
        self._source = open_source(settings, home, last_good)
        self._publisher = RoutePublisher(lambda table: self._gateways.route_by(table))
        release_store = ReleaseStore(home.path / "releases")
        environments = Environments(home.path / "envs", environ, settings.environment_timeout_s)
        self._warm_workers = warm_workers = WarmWorkers()
        defaults = _worker_defaults(settings, home, environ)
        self._starter = starter = Starter(release_store, environments, defaults, warm_workers=warm_workers)
        self._pruning = Pruning(release_store, environments, starter.in_use, self._followed)
        self._reconciler = Reconciler(
            self._source,
            partial(starter.start, source=self._source),
            self._publisher,
            last_good,
            self._event_log.record,
        )
        start_guest = _guest_starter(starter, self._source, self._publisher)
        self._on_demand = OnDemand(self._source.resolve, start_guest, self._publisher, settings.version_idle_s)
        self._guard = MemoryGuard(starter.pools, relieve=warm_workers.give_up)
        self._state = partial(server_state, self._source.where, self._reconciler)
        self._metrics = Metrics(self._state, self._pools)
        gateway_config = _gateway_config(settings, self._admin_socket)
        self._gateways = Gateways(
            settings.gateways,
            partial(Gateway.start, listener, gateway_config, environ),
            gateway_config,
            wanted=VersionStarts(self._on_demand, self._publisher).open,
            counted=self._count,
            lost=lambda message: self._event_log.record(Event(kind=EventKind.GATEWAY_LOST, message=message)),
        )

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT; the exit code. A second signal ends everything at once."""
        self._take_signals()
        self._banner.greet(self._source.where)
        admin_server = self._admin_server()
        self._gateways.start()
        self._reconciler.restore()
        tasks = [
            spawn(self._reconciler.run(), "reconcile"),
            spawn(self._guard.run(), "memory guard"),
            spawn(self._pruning.run(self._reconciler.settled), "pruning"),
            spawn(self._announce(), "announce"),
        ]
        serving = spawn(admin_server.serve(), "admin")
        self._start_timers()
        await self._stop.wait()
        end = spawn(self._end(admin_server, serving, tasks), "end")
        hurry = spawn(self._hurry.wait(), "hurry")
        await asyncio.wait((end, hurry), return_when=asyncio.FIRST_COMPLETED)
        if end.done():
            return 0
        log.warning("stopped at once, for a second signal: requests still in flight were cut off")
        return 1

    async def _end(
        self, admin_server: uvicorn.Server, serving: asyncio.Task[None], tasks: list[asyncio.Task[None]]
    ) -> None:
        log.info("stopping: requests in flight finish first")
        for timer in self._timers:
            timer.cancel()
        with contextlib.suppress(TimeoutError):  # a gateway that hangs is waited for later, for as long as it may take
            await asyncio.wait_for(self._publisher.set_ready(False), _NOT_READY_S)
        await asyncio.sleep(_NOT_READY_S)
        self._listener.close()  # ours; the gateways close theirs, and from then on connections are refused
        await self._gateways.stop()
        admin_server.should_exit = True
        for task in tasks:
            task.cancel()
        await asyncio.wait([*tasks, serving])
        self._starter.close()
        await asyncio.gather(
            self._reconciler.close(_WORKERS_END_S), self._on_demand.close(_WORKERS_END_S), self._warm_workers.close()
        )
        await asyncio.gather(*(pool.kill() for pool in self._starter.pools()))
        await asyncio.to_thread(self._event_writer.close, _WRITE_DOWN_S)
        log.info("stopped")

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._take_signal)

    def _take_signal(self) -> None:
        (self._hurry if self._stop.is_set() else self._stop).set()

    def _start_timers(self) -> None:
        self._timers = [
            spawn(every(self._settings.sync_seconds, self._wake, "look at the source"), "timer of looks"),
            spawn(every(_IDLE_S, self._on_demand.stop_idle, "end of idle versions"), "timer of idle versions"),
        ]

    async def _wake(self) -> None:
        self._reconciler.wake()

    async def _announce(self) -> None:
        await self._reconciler.ready.wait()
        await self._publisher.set_ready(True)
        self._banner.show(self._state())
        self._event_writer.start()
        self._event_log.write_to(self._event_writer.write)

    def _remember(self, earlier: list[Event]) -> None:
        self._loop.call_soon_threadsafe(self._event_log.remember, earlier)

    def _admin_server(self) -> uvicorn.Server:
        self._loop = asyncio.get_running_loop()
        state = self._state
        admin = Admin(self._settings, self._reconciler, self._event_log, state)
        app = build_app(self._settings.base, admin, Pages(self._settings.base, state), self._metrics)
        return _QuietServer(
            uvicorn.Config(
                app,
                uds=self._admin_socket,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
            )
        )

    def _pools(self) -> list[Pool]:
        live = [
            controller.live.pool for controller in self._reconciler.controllers.values() if controller.live is not None
        ]
        return [*live, *self._on_demand.pools()]

    def _followed(self) -> set[str] | None:
        """None as long as nobody knows which models were removed while we didn't run."""
        return set(self._reconciler.controllers) if self._reconciler.head else None

    def _count(self, counted: Counted) -> None:
        self._on_demand.touch(counted.requests)
        self._metrics.add(counted)


class _QuietServer(uvicorn.Server):
    """Signals are the daemon's to take."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _worker_defaults(settings: Settings, home: DataDir, environ: Mapping[str, str]) -> WorkerDefaults:
    return WorkerDefaults(
        environ=environ,
        run=home.run,
        max_body=settings.max_body_mb * _MEGABYTE,
        variables=settings.variables,
        device=settings.device,
        start_timeout_s=settings.start_timeout_s,
    )


def _guest_starter(
    starter: Starter, source: Source, front: RoutePublisher
) -> Callable[[Release, Callable[[Report], None]], Awaitable[Pool]]:
    """Starts a pool of one worker for a version asked for by name."""

    def start(release: Release, report: Callable[[Report], None]) -> Awaitable[Pool]:
        return starter.start(
            release, source=source, replicas=1, progress=lambda _: None, changed=front.refresh, report=report
        )

    return start


def _gateway_config(settings: Settings, daemon_socket: str) -> GatewayConfig:
    return GatewayConfig(
        base=settings.base,
        daemon=daemon_socket,
        cors_origins=settings.origins,
        max_body=settings.max_body_mb * _MEGABYTE,
        max_buffered=settings.max_buffered_mb * _MEGABYTE,
        body_timeout_s=settings.body_timeout_s,
        stop_timeout_s=settings.stop_timeout_s,
        connections=allowed_connections(),
    )
