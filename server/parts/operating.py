"""What operators see and do: the admin API, the pages, the metrics, and who may use them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette

from core.settings.settings import Settings
from loader.controller.release_names import RUN, ReleaseNames
from loader.reconcile import Reconciler
from loader.sources.source import Source
from registry.event_log import EventLog
from server.access.assembly import AccessParts, build_access
from server.app import Routed, build_app
from server.gateways.gateways import Gateways
from server.gateways.key_grants import KeyGrants
from server.gateways.route_publisher import RoutePublisher
from server.http.access import Access
from server.http.admin_openapi.openapi_api import OpenApiApi
from server.http.api.events_api import EventsApi
from server.http.api.keys_api import KeysApi
from server.http.api.logs_api import LogsApi
from server.http.api.models_api import ModelsApi
from server.http.api.run_actions import RunActions
from server.http.api.runs_api import RunsApi
from server.http.api.session_api import SessionApi
from server.http.api.steering_api import SteeringApi
from server.http.api.sync_api import SyncApi
from server.http.api.traffic_api import TrafficApi
from server.http.api.uploads_api import UploadsApi
from server.http.api.versions_api import VersionsApi
from server.http.event_streams import EventStreams
from server.pages.assembly import PageParts, build_pages
from server.parts.counting import CountingParts
from server.parts.serving import MEGABYTE, ServingParts
from server.process.data_dir import DataDir
from server.process.listening import url_of
from server.registry_part import RegistryPart
from server.state import ServerState, model_state, server_state, source_state
from server.traffic.metrics.metrics import Metrics
from server.traffic.metrics.system_families import system_families
from server.traffic.system import Followed, SystemReader
from server.traffic.usage import UsageHistory, server_id
from server.uploads.change_maker import ChangeMaker
from server.uploads.intake import Intake
from server.uploads.uploads import Uploads
from server.versions.deployments import Deployments
from server.versions.version_reader import VersionReader
from server.versions.versions import Versions
from trainer.catalogue.catalogue import RunCatalogue


@dataclass(frozen=True)
class OperatingParts:
    access: AccessParts
    streams: EventStreams
    state: Callable[[], ServerState]
    app: Starlette
    usage: UsageHistory


def build_operating(
    settings: Settings,
    data: DataDir,
    registry_part: RegistryPart,
    serving: ServingParts,
    counting: CountingParts,
    runs: RunCatalogue,
    publisher: RoutePublisher,
    gateways: Gateways,
    port: int,
) -> OperatingParts:
    """`gateways`: those that run. `port`: where models are asked.

    Raises PawlError where DATA_DIR can't be used.
    """
    models_url = _models_url(settings, port)
    source, reconciler, starter, names = serving.source, serving.reconciler, serving.starter, serving.names
    state = partial(server_state, source.where, reconciler, runs.newest)
    system = SystemReader(
        followed=partial(_followed, source, reconciler),
        gateways=lambda: gateways.running,
        pools=starter.pools,
        registry=registry_part.registry,
        database_url=settings.database_url or "sqlite:",
        models_url=models_url,
    )
    usage = UsageHistory(system.taken, registry_part.registry, server_id(data.path))
    of_system = partial(system_families, system, serving.happenings)
    metrics = Metrics(state, serving.loader.serving_pools, counting.traffic.totals, runs.counts, of_system)
    grants = KeyGrants(publisher, is_needed=settings.auth == "keys")
    access_parts = build_access(settings, registry_part.log, registry_part.registry, grants.hand_out)
    access, streams = Access(settings, access_parts.known, access_parts.sessions), EventStreams()
    situations = serving.situations
    reader = VersionReader(source, reconciler, names, situations, serving.proofs, serving.release_store)
    versions = Versions(reader, runs, registry_part.registry)
    shared = PageParts(
        base=settings.base,
        access=access,
        access_parts=access_parts,
        keys_api=KeysApi(access, access_parts.keyring),
        state=state,
        source_state=partial(source_state, source.where, reconciler),
        model_state=partial(model_state, reconciler, runs.newest),
        event_log=registry_part.log,
        source=source,
        reconciler=reconciler,
        registry=registry_part.registry,
        runs=runs,
        run_actions=RunActions(runs, registry_part.log.tell, registry_part.log.record),
        uploads=_uploads(settings, data, serving, registry_part.log),
        versions=versions,
        lines=starter.printed_lines,
        situations=situations,
        steering=serving.steered.steering,
        history=counting.history,
        system=system,
        usage=usage,
        take=counting.writer.take,
        settings={"variables": settings.variables, "device": settings.device},
        models_url=models_url,
    )
    app = build_app(settings.base, _apis(shared, names, streams), build_pages(shared), metrics)
    return OperatingParts(access_parts, streams, state, app, usage)


def _apis(parts: PageParts, names: ReleaseNames, streams: EventStreams) -> list[Routed]:
    """The admin API: what it tells and does is what the pages show and do."""
    base, access, is_known = parts.base, parts.access, parts.situations.is_known
    return [
        UploadsApi(access, parts.uploads, parts.steering, base),
        SyncApi(access, parts.reconciler),
        ModelsApi(access, parts.state, parts.model_state, parts.event_log),
        VersionsApi(access, parts.versions, Deployments(parts.registry)),
        LogsApi(access, parts.lines, parts.versions, parts.situations, streams),
        EventsApi(access, parts.event_log, streams),
        RunsApi(access, parts.runs, is_known, streams, parts.run_actions, parts.reconciler.known.turned_down),
        parts.keys_api,
        SessionApi(base, parts.access_parts.sign_in),
        TrafficApi(access, parts.history, parts.system, is_known, partial(_label, parts.source, names)),
        SteeringApi(access, parts.steering, streams, base),
        OpenApiApi(access, base),
    ]


def _uploads(settings: Settings, data: DataDir, serving: ServingParts, event_log: EventLog) -> Uploads:
    intake = Intake(data.path / "uploads", settings.upload_max_mb * MEGABYTE)
    maker = ChangeMaker(serving.source, serving.reconciler, serving.starter, event_log)
    return Uploads(serving.source, serving.reconciler, intake, maker, serving.steered.steering.actions)


def _models_url(settings: Settings, port: int) -> str:
    """Where models are asked, if elsewhere than the pages; behind a proxy nobody here knows its name."""
    return url_of(settings.host, port) + settings.base if settings.admin_bind else ""


def _followed(source: Source, reconciler: Reconciler) -> Followed:
    ready, seen = reconciler.ready.is_set(), reconciler.known_source
    return Followed(ready=ready, source=source.where, problem=seen.problem, seen_at=seen.seen_at)


def _label(source: Source, names: ReleaseNames, model: str, name: str) -> str:
    """What requests to that version are counted as."""
    if name.startswith(RUN):
        names.find(model, name)
        return name
    return source.resolve(model, name).version.label
