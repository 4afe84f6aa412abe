"""The daemon: puts the parts together, starts them in order, and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial

import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core.errors import PawlError, ReleaseFailed, VersionAmbiguous, VersionNotFound
from core.events import Event, EventKind
from core.release import Release
from core.settings import Settings, scrubbed
from loader.environment import Environments
from loader.lastgood import LastGood
from loader.ondemand import OnDemand, TooManyVersions
from loader.pool import Pool, Report
from loader.reconcile import Reconciler
from loader.shelf import Shelf
from loader.source import Source
from loader.starter import Starter, WorkerDefaults
from server.admin import Admin
from server.app import build_app
from server.banner import Banner
from server.catalogue import Catalogue
from server.diary import Diary
from server.gateways import Gateways
from server.home import Home
from server.sources import open_source
from server.state import server_state
from server.switchboard import Switchboard
from server.table import Counted, GatewayConfig, Start, Started

log = logging.getLogger("pawl")

_MEGABYTE = 1024 * 1024
_NOT_READY_S = 0.5
"""Between saying that we are not ready and accepting nothing more, so that whoever asks can notice."""


class Daemon:
    """Everything, composed. No logic of its own beyond the order of things."""

    def __init__(self, settings: Settings, home: Home, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._daemon_socket = str(home.run / "daemon.sock")
        environ = scrubbed(os.environ)
        self._diary = Diary()
        self._last_good = LastGood(home.path / "live.json", settings.git_path)
        self._source = open_source(settings, home, self._last_good.seen)
        self._gateways = Gateways(
            settings.gateways,
            listener,
            _gateway_config(settings, self._daemon_socket),
            environ,
            wanted=self._open_version,
            counted=self._count,
            lost=lambda message: self._diary.record(Event(kind=EventKind.GATEWAY_LOST, message=message)),
        )
        self._switchboard = Switchboard(self._gateways.route_by)
        starter = Starter(
            Shelf(home.path / "releases"),
            Environments(home.path / "envs", environ, settings.environment_timeout_s),
            _worker_defaults(settings, home, environ),
        )
        self._reconciler = Reconciler(
            self._source,
            partial(starter.start, source=self._source),
            self._switchboard,
            self._last_good,
            self._diary.record,
        )
        self._on_demand = OnDemand(
            self._source.resolve,
            _guest_starter(starter, self._source, self._switchboard),
            self._switchboard,
            settings.version_idle_s,
        )
        self._scheduler = AsyncIOScheduler()
        self._banner = Banner(settings, listener.getsockname()[1])
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self._take_signals()
        self._banner.greet(self._source.where)
        admin_server = self._admin_server()
        tasks = [asyncio.create_task(admin_server.serve(), name="admin")]
        self._gateways.start()
        self._reconciler.restore()
        tasks.append(asyncio.create_task(self._reconciler.run(), name="reconcile"))
        tasks.append(asyncio.create_task(self._announce(), name="announce"))
        self._start_timers()
        await self._stop.wait()
        await self._shut_down(admin_server, tasks)

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)

    def _start_timers(self) -> None:
        self._scheduler.add_job(self._wake, "interval", seconds=self._settings.sync_seconds, max_instances=1)
        self._scheduler.add_job(self._on_demand.stop_idle, "interval", seconds=5, max_instances=1)
        self._scheduler.start()

    async def _wake(self) -> None:
        self._reconciler.wake()

    async def _announce(self) -> None:
        await self._reconciler.ready.wait()
        await self._switchboard.set_ready(True)
        self._banner.show(server_state(self._source.where, self._reconciler))

    async def _shut_down(self, admin_server: uvicorn.Server, tasks: list[asyncio.Task[None]]) -> None:
        log.info("stopping: requests in flight finish first")
        self._scheduler.shutdown(wait=False)
        await self._switchboard.set_ready(False)
        await asyncio.sleep(_NOT_READY_S)
        await self._gateways.stop()
        self._listener.close()
        admin_server.should_exit = True
        for task in tasks[1:]:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.gather(self._reconciler.close(), self._on_demand.close())
        log.info("stopped")

    def _admin_server(self) -> uvicorn.Server:
        state = partial(server_state, self._source.where, self._reconciler)
        admin = Admin(self._settings, self._reconciler, self._diary, state)
        app = build_app(self._settings.base, admin, Catalogue(self._settings.base, state), state)
        config = uvicorn.Config(
            app,
            uds=self._daemon_socket,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
        return _QuietServer(config)

    def _count(self, counted: Counted) -> None:
        self._on_demand.touch(set(counted.outstanding))

    def _open_version(self, start: Start) -> asyncio.Future[Started]:
        return asyncio.ensure_future(self._opened(start))

    async def _opened(self, start: Start) -> Started:
        try:
            await self._on_demand.open(start.model, start.version, self._switchboard.live.get(start.model))
        except PawlError as failure:
            return _refusal(start, failure)
        except Exception:
            log.exception("%s/%s could not be opened: a failure of Pawl's own", start.model, start.version)
            return _refusal(start, PawlError("Pawl itself failed; its log says more"))
        return Started(ticket=start.ticket)


class _QuietServer(uvicorn.Server):
    """Signals are the daemon's to take."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _refusal(start: Start, failure: PawlError) -> Started:
    status, code = 500, "internal_error"
    more: dict[str, object] = {}
    match failure:
        case VersionAmbiguous(commits=commits):
            status, code, more = 404, "version_ambiguous", {"commits": list(commits)}
        case VersionNotFound():
            status, code = 404, "version_not_found"
        case TooManyVersions():
            status, code = 503, "too_many_versions"
        case ReleaseFailed(stage=stage):
            status, code, more = 503, "not_live", {"stage": stage}
    return Started(ticket=start.ticket, status=status, error={"code": code, "message": str(failure), **more})


def _gateway_config(settings: Settings, daemon_socket: str) -> GatewayConfig:
    return GatewayConfig(
        base=settings.base,
        daemon=daemon_socket,
        max_body=settings.max_body_mb * _MEGABYTE,
        max_buffered=settings.max_buffered_mb * _MEGABYTE,
        body_timeout_s=settings.body_timeout_s,
        stop_timeout_s=settings.stop_timeout_s,
    )


def _worker_defaults(settings: Settings, home: Home, environ: dict[str, str]) -> WorkerDefaults:
    return WorkerDefaults(
        environ=environ,
        run=home.run,
        max_body=settings.max_body_mb * _MEGABYTE,
        variables=settings.variables,
        device=settings.device,
        start_timeout_s=settings.start_timeout_s,
    )


def _guest_starter(
    starter: Starter, source: Source, front: Switchboard
) -> Callable[[Release, Callable[[Report], None]], asyncio.Future[Pool]]:
    """Starts a pool of one worker for a version asked for by name."""

    def start(release: Release, report: Callable[[Report], None]) -> asyncio.Future[Pool]:
        return asyncio.ensure_future(
            starter.start(
                release, source=source, replicas=1, progress=lambda stage: None, changed=front.refresh, report=report
            )
        )

    return start
