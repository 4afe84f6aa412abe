"""Training as a part of the daemon: what it takes from the other parts, and what it gives them."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from core.decisions import Decisions
from core.errors import PawlError
from core.release import Artifact
from core.runs.records import RunRecord
from core.settings.settings import Settings
from core.task import spawn
from loader.artifacts.datasets.datasets import Datasets
from loader.artifacts.files.files import Files
from loader.reconcile import Reconciler
from loader.sources.source import Source
from registry.registry import Registry
from server.process.data_dir import DataDir
from server.process.reaping import MARK
from server.registry_part import RegistryPart
from trainer.assembly import Surroundings, Training, assemble
from trainer.demand.demand import Trained
from trainer.lease import NAME, Alone, Lease, Never
from trainer.records.accepted import AcceptedArtifacts
from trainer.trainer import Held, Trainer

if TYPE_CHECKING:
    from registry.transaction import Transaction  # imports SQLAlchemy, which the start can't wait for

log = logging.getLogger("pawl.trainer")

_GIGABYTE = 1_000_000_000
_AT_A_TIME = 200
_AGAIN_S = 5.0
"""Between two tries to take what is shipped, while the store is away."""


class RunRecorder:
    """Writes runs that are over to the registry, for searching. What is lost of that is in the store."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._waiting: deque[RunRecord] = deque(maxlen=20_000)
        self._is_writing = False

    def record(self, run: RunRecord) -> None:
        self._waiting.append(run)
        if not self._is_writing:
            self._is_writing = True
            spawn(self._write(), "record of runs")

    async def _write(self) -> None:
        try:
            while self._waiting:
                runs = [self._waiting.popleft() for _ in range(min(_AT_A_TIME, len(self._waiting)))]
                await self._registry.perform(partial(_put, runs))
        except PawlError as error:
            log.warning("the registry does not know of some runs, which are in the artifact store: %s", error)
        finally:
            self._is_writing = False


def build_training(
    settings: Settings,
    data: DataDir,
    environ: Mapping[str, str],
    source: Source,
    reconciler: Reconciler,
    registry_part: RegistryPart,
    files: Files,
    accepted: AcceptedArtifacts,
) -> Training:
    """`environ`: what runs may see, scrubbed of our secrets. Raises OSError, SettingError."""
    datasets = Datasets(data.path / "datasets", int(settings.dataset_cache_gb * _GIGABYTE), settings.dataset_timeout_s)
    around = Surroundings(
        heads=partial(_heads, reconciler),
        live=partial(_live, reconciler),
        check_out=source.check_out,
        resolve=source.resolve,
        fingerprint=datasets.fingerprint,
        files=files,
        lease=_lease(settings, registry_part.registry),
        changed=reconciler.reconsider,
        record=RunRecorder(registry_part.registry).record,
        event=registry_part.log.record,
    )
    unmarked = {name: value for name, value in environ.items() if name != MARK}  # runs outlive the daemon
    return assemble(settings, data.path, unmarked, around, accepted)


async def train_after(take: Callable[[], object], trainer: Trainer) -> None:
    """Train for ever, once what is shipped with the models was taken into the store: else it would be trained again.

    `take` blocks, and raises StoreUnavailable.
    """
    trouble = ""
    while True:
        try:
            await asyncio.to_thread(take)
            break
        except (PawlError, OSError) as error:
            if str(error) != trouble:
                log.error("%s; nothing is trained meanwhile, and it is tried again", error)
            trouble = str(error)
        await asyncio.sleep(_AGAIN_S)
    await trainer.run()


def decisions(accepted: AcceptedArtifacts) -> Decisions:
    """As far as training goes."""
    return Decisions(artifacts=accepted.newest_first() if accepted.is_read else None, runs=accepted.states)


def _heads(reconciler: Reconciler) -> Mapping[str, Trained]:
    return {model: Trained(one.version, one.revision) for model, one in reconciler.desired.training.items()}


def _live(reconciler: Reconciler) -> Mapping[str, Artifact]:
    """For any thread."""
    found = {}
    for model, controller in list(reconciler.controllers.items()):
        live = controller.live
        if live is not None and (artifact := live.pool.release.artifact) is not None:
            found[model] = artifact
    return found


def _lease(settings: Settings, registry: Registry) -> Held:
    if settings.trainer == "none":
        return Never()
    if not settings.database_url.startswith("postgres"):
        return Alone()
    holder = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return Lease(
        lambda seconds: registry.perform(lambda transaction: transaction.leases.take(NAME, holder, seconds)),
        lambda: registry.perform(lambda transaction: transaction.leases.give_back(NAME, holder)),
    )


def _put(runs: list[RunRecord], transaction: Transaction) -> None:
    transaction.runs.put(*runs)
