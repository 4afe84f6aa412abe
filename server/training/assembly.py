"""Builds what trains, out of what the other parts know and of what the trainer needs of them."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from core.release import Artifact
from core.settings.settings import Settings
from loader.artifacts.datasets.datasets import Datasets
from loader.artifacts.files.files import Files
from loader.reconcile import Reconciler
from loader.sources.source import Source
from registry.registry import Registry
from server.process.data_dir import DataDir
from server.process.reaping import MARK
from server.registry_part import RegistryPart
from server.training.run_recorder import RunRecorder
from server.training.shared_runs import SharedRuns
from trainer.assembly import Surroundings, Training, assemble
from trainer.demand.demand import Trainable
from trainer.lease import NAME, Alone, Held, Lease, Never
from trainer.records.accepted import AcceptedArtifacts
from trainer.sharing import NotShared

_GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class TrainingParts:
    training: Training
    shared: SharedRuns | None
    """What daemons with one database tell each other; None: there is no other."""


def build_training(
    settings: Settings,
    data: DataDir,
    environ: Mapping[str, str],
    source: Source,
    reconciler: Reconciler,
    registry_part: RegistryPart,
    files: Files,
    accepted: AcceptedArtifacts,
) -> TrainingParts:
    """`environ`: what runs may see, scrubbed of our secrets. Raises OSError, SettingError."""
    lease, shared = _sharing(settings, registry_part.registry)
    datasets = Datasets(data.path / "datasets", int(settings.dataset_cache_gb * _GIGABYTE), settings.dataset_timeout_s)
    around = Surroundings(
        heads=partial(_heads, reconciler),
        live=partial(_live, reconciler),
        check_out=source.check_out,
        resolve=source.resolve,
        fingerprint=datasets.fingerprint,
        files=files,
        lease=lease,
        sharing=shared or NotShared(),
        changed=reconciler.reconsider,
        record=RunRecorder(registry_part.registry).record,
        event=registry_part.log.record,
    )
    unmarked = {name: value for name, value in environ.items() if name != MARK}  # runs outlive the daemon
    return TrainingParts(assemble(settings, data.path, unmarked, around, accepted), shared)


def _heads(reconciler: Reconciler) -> Mapping[str, Trainable] | None:
    """None: the source was not read since the start, and nothing is known of before that."""
    found = {model: Trainable(one.version, one.revision) for model, one in reconciler.desired.training.items()}
    return found if found or reconciler.known_source.head else None


def _live(reconciler: Reconciler) -> Mapping[str, Artifact]:
    """For any thread."""
    found = {}
    for model, controller in list(reconciler.controllers.items()):
        live = controller.live
        if live is not None and (artifact := live.pool.release.artifact) is not None:
            found[model] = artifact
    return found


def _sharing(settings: Settings, registry: Registry) -> tuple[Held, SharedRuns | None]:
    """Which of the daemons with one database trains, and what they tell each other."""
    is_training = settings.trainer != "none"
    if not settings.database_url.startswith("postgres"):
        return (Alone() if is_training else Never()), None
    holder = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    lease = Lease(
        lambda seconds: registry.perform(lambda transaction: transaction.leases.take(NAME, holder, seconds)),
        lambda: registry.perform(lambda transaction: transaction.leases.give_back(NAME, holder)),
    )
    shared = SharedRuns(
        registry,
        lambda: lease.epoch,
        lambda transaction, epoch: transaction.leases.is_held(NAME, holder, epoch),
    )
    return (lease if is_training else Never()), shared
