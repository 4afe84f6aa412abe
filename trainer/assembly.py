"""Builds what trains from settings, and starts none of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from core.events import Event
from core.release import Artifact, Candidate
from core.runs.records import RunRecord
from core.settings.settings import Settings
from loader.artifacts.checkpoints import CHECKPOINTS
from loader.artifacts.files.files import Files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from trainer.asked_runs import AskedRuns
from trainer.demand.code_folders import CheckOut, CodeFolders, code_home
from trainer.demand.commits import Commits
from trainer.demand.demand import Demand, Fingerprint, Trainable
from trainer.executor import Executor
from trainer.gates import Live
from trainer.kubernetes.assembly import connected
from trainer.kubernetes.job import CODE, WORK
from trainer.kubernetes.object_cache import Following
from trainer.kubernetes.reach import claim_of, pod_address
from trainer.lease import Held
from trainer.local import LocalRuns
from trainer.operations import Operations
from trainer.publisher import Publisher
from trainer.records.accepted import AcceptedArtifacts, read_results
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns
from trainer.records.recorded_runs import RecordedRuns
from trainer.reports import Reports
from trainer.run_controller import RunController
from trainer.sharing import Sharing
from trainer.specs import SpecMaker, place_of
from trainer.trainer import Trainer

_MOST_JOBS = 1000
"""At a time: the cluster has its own quotas and queues."""
_BEHIND_S = 600.0
"""What one daemon knows of the branch may be behind what another does by this, or by two of its looks: a fetch may be
slow, or fail for a while."""


@dataclass(frozen=True)
class Surroundings:
    """What is not training's own."""

    heads: Callable[[], Mapping[str, Trainable] | None]
    """The models that train, at the followed head; None: it is not known yet."""
    live: Callable[[], Mapping[str, Artifact]]
    """Of each model the artifact that is live, if any."""
    check_out: CheckOut
    resolve: Callable[[str, str], Candidate]
    fingerprint: Fingerprint
    files: Files
    lease: Held
    sharing: Sharing
    changed: Callable[[], None]
    """What was accepted has changed, or the state of a run at the head."""
    record: Callable[[RunRecord], None]
    event: Callable[[Event], None]


@dataclass(frozen=True)
class Training:
    trainer: Trainer
    operations: Operations
    accepted: AcceptedArtifacts
    home: Path
    """Of the folders of runs."""
    lease: Held
    following: Sequence[Following] = ()
    """What keeps up with the cluster: to be started before the trainer, and stopped after it."""


def assemble(
    settings: Settings, data: Path, environ: Mapping[str, str], around: Surroundings, accepted: AcceptedArtifacts
) -> Training:
    """`environ`: what runs may see. `accepted` is filled by the trainer.

    Raises OSError where folders can't be made, SettingError where pods can't do what they are to.
    """
    home = data / "runs"
    records = RunRecords(around.files)
    recorded_runs, open_runs = RecordedRuns(records), OpenRuns(home)
    code_folders = CodeFolders(code_home(data), around.check_out)
    reports = Reports()
    demand = Demand(code_folders, around.fingerprint, told=reports.waiting)
    executor, make_spec, at_once, following = _executor(settings, data, environ, records, recorded_runs, code_folders)
    live = partial(_live, around.live, recorded_runs)
    is_kept = ArtifactStore(around.files).has
    ended_runs = EndedRuns(recorded_runs, reports.settle)
    controller = RunController(
        open_runs, recorded_runs, ended_runs, executor, make_spec, live, reports.told, at_once, is_kept=is_kept
    )
    commits = Commits(around.heads, around.resolve)
    behind_s = max(_BEHIND_S, 2 * settings.sync_seconds)
    asked = AskedRuns(commits, code_folders, open_runs, ended_runs, recorded_runs, controller, behind_s)
    trainer = Trainer(
        demand,
        controller,
        ended_runs,
        asked,
        around.lease,
        around.sharing,
        around.heads,
        Publisher(reports, accepted, partial(read_results, records), around.record, around.event, around.changed),
    )
    operations = Operations(
        demand,
        controller,
        recorded_runs,
        ended_runs,
        open_runs,
        code_folders,
        commits,
        reports.settled.append,
        lambda: trainer.acts,
        is_kept,
    )
    return Training(trainer, operations, accepted, home, around.lease, following)


def _executor(
    settings: Settings,
    data: Path,
    environ: Mapping[str, str],
    records: RunRecords,
    recorded_runs: RecordedRuns,
    code_folders: CodeFolders,
) -> tuple[Executor, SpecMaker, int, Sequence[Following]]:
    """Where attempts run, what they are told there, how many at a time, and what keeps up with them."""
    if settings.trainer != "kubernetes":
        home = data / "runs"
        place = place_of(settings, data, home, settings.artifacts)
        return (
            LocalRuns(home, environ, place.max_artifact_bytes),
            SpecMaker(place, code_folders.path),
            settings.train_at_once,
            (),
        )
    cluster = connected(settings, environ, records, recorded_runs.record_attempt)
    work = Path(WORK)
    artifacts = pod_address(settings.artifacts)
    here = place_of(settings, work, work / "runs", artifacts)
    checkpoints = f"{artifacts.removeprefix('file://')}/{CHECKPOINTS}" if claim_of(settings.artifacts) else ""
    place = replace(here, cores=(), checkpoints=checkpoints, in_pod=True)
    return cluster.runs, SpecMaker(place, Path(CODE).joinpath), _MOST_JOBS, cluster.following


def _live(live: Callable[[], Mapping[str, Artifact]], recorded_runs: RecordedRuns, model: str) -> Live | None:
    artifact = live().get(model)
    result = None if artifact is None else recorded_runs.recorded(model, artifact.run).result
    if artifact is None or result is None:
        return None
    return Live(artifact.id, artifact.run, result.scores, result.dataset_fingerprint, result.validation_fingerprint)
