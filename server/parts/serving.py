"""What follows the source, and brings up what is to be live."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from core.release import Release
from core.settings.settings import Settings
from loader.artifacts.files.files import Files
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from loader.controller.loaded_pools import LoadedFirst, LoadedPools
from loader.controller.on_demand import OnDemand
from loader.controller.release_names import ReleaseNames
from loader.controller.release_pruning import ReleasePruning
from loader.environments.environment import Environments
from loader.known_models import KnownModels
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
from server.gateways.route_publisher import RoutePublisher
from server.loader_part import LoaderPart
from server.process.data_dir import DataDir
from server.registry_part import RegistryPart
from server.source_choice import followed, open_source
from server.steering.assembly import SteeringParts, build_steering
from server.steering.decisions.decided import Decided
from server.steering.ledger.ledger import DeploymentLedger
from server.steering.releases.release_finder import ReleaseFinder
from server.steering.releases.run_artifacts import artifact_of
from server.traces.traces import Traces
from server.traffic.metrics.happenings import Happenings
from server.traffic.own_requests import ProofCounts
from server.traffic.traffic import Take
from server.versions.situations import Situations
from trainer.demand.code_folders import trained_folders
from trainer.records.accepted import AcceptedArtifacts

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ServingParts:
    source: Source
    files: Files
    """Where artifacts and the results of runs are."""
    artifacts: ArtifactStore
    records: RunRecords
    accepted: AcceptedArtifacts
    release_store: ReleaseStore
    proofs: ProofStore
    starter: Starter
    reconciler: Reconciler
    names: ReleaseNames
    on_demand: OnDemand
    steered: SteeringParts
    loader: LoaderPart
    pruning: ReleasePruning
    guard: MemoryGuard
    happenings: Happenings
    situations: Situations


def build_serving(
    settings: Settings,
    data: DataDir,
    environ: Mapping[str, str],
    registry_part: RegistryPart,
    publisher: RoutePublisher,
    traces: Traces,
    take: Take,
) -> ServingParts:
    """`take`: what counts requests for the history. Raises SettingError."""
    live_file = LiveFile(data.path / "live.json", followed(settings))
    source = open_source(settings, data, live_file)
    files = open_files(settings.artifacts, data.path)
    artifacts, records, accepted = ArtifactStore(files), RunRecords(files), AcceptedArtifacts()
    release_store, proofs = ReleaseStore(data.path / "releases", artifacts), ProofStore(data.path / "proofs")
    environments = Environments(data.path / "envs", environ, settings.environment_timeout_s)
    warm_workers = WarmWorkers()
    starter = Starter(
        release_store,
        environments,
        _worker_defaults(settings, data, environ, traces),
        warm_workers=warm_workers,
        proofs=proofs,
        proven=ProofCounts(take).count,
    )
    known = KnownModels(live_file)
    names = ReleaseNames(source, known, partial(artifact_of, records))
    finder = ReleaseFinder(source, names, known, partial(artifact_of, records))
    happenings, decided, loaded = Happenings(registry_part.log.record), Decided(finder.recorded), LoadedPools()
    ledger = DeploymentLedger(registry_part.registry, decided.read, live_file.live(), bool(settings.database_url))
    reconciler = Reconciler(
        source,
        known,
        LoadedFirst(loaded, partial(starter.start, source=source)),
        publisher,
        live_file,
        happenings.record,
        lambda: decided.over(accepted.decisions()),
        decided.look_for,
        ledger.observe,
    )
    start_one = _one_worker_starter(starter, source, publisher)
    on_demand = OnDemand(names.find, start_one, publisher, settings.version_idle_s, loaded)
    situations = Situations(reconciler, on_demand.pools, on_demand.labels)
    steered = build_steering(
        settings,
        data,
        registry_part.registry,
        registry_part.log,
        reconciler,
        finder,
        on_demand,
        decided,
        ledger,
    )
    needed = partial(_needed, starter, reconciler)
    return ServingParts(
        source=source,
        files=files,
        artifacts=artifacts,
        records=records,
        accepted=accepted,
        release_store=release_store,
        proofs=proofs,
        starter=starter,
        reconciler=reconciler,
        names=names,
        on_demand=on_demand,
        steered=steered,
        loader=LoaderPart(reconciler, on_demand, starter, warm_workers, steered.known),
        pruning=ReleasePruning(
            release_store,
            environments,
            needed,
            reconciler.followed,
            proofs=proofs,
            trained=partial(trained_folders, data.path),
        ),
        guard=MemoryGuard(starter.pools, relieve=warm_workers.give_up),
        happenings=happenings,
        situations=situations,
    )


def _needed(starter: Starter, reconciler: Reconciler) -> set[Release]:
    """Releases that have processes, or that one may go back to."""
    return {*starter.in_use(), *reconciler.known.last_releases()}


def _worker_defaults(settings: Settings, data: DataDir, environ: Mapping[str, str], traces: Traces) -> WorkerDefaults:
    return WorkerDefaults(
        environ=environ,
        run=data.run,
        max_body=settings.max_body_mb * MEGABYTE,
        variables=settings.variables,
        device=settings.device,
        start_timeout_s=settings.start_timeout_s,
        traced=None if traces.sampling is None else traces.take,
    )


def _one_worker_starter(
    starter: Starter, source: Source, publisher: RoutePublisher
) -> Callable[[Release, str, Callable[[Report], None]], Awaitable[Pool]]:
    """Starts a pool of one worker, for a version asked for by name."""

    def start(release: Release, version: str, report: Callable[[Report], None]) -> Awaitable[Pool]:
        return starter.start(
            release,
            source=source,
            version=version,
            replicas=1,
            progress=lambda _: None,
            changed=publisher.refresh,
            report=report,
        )

    return start
