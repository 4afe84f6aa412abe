"""What an attempt is told: from a run, and from the settings of this place."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.manifest.train import Train
from core.runs.runs import Failure, RunSpec
from core.runs.states import Reason, RunState
from core.settings.settings import Settings
from trainer.executor import NotBegun
from trainer.records.open_runs import RunFile

_GIGABYTE = 1_000_000_000


@dataclass(frozen=True)
class Place:
    """Where attempts run, and what they may take."""

    data_dir: Path
    home: Path
    """Of all runs."""
    artifacts: str = ""
    environment_timeout_s: float = 900.0
    max_artifact_bytes: int = 20_000_000_000
    dataset_cache_bytes: int = 50_000_000_000
    dataset_timeout_s: float = 3600.0
    cores: tuple[int, ...] = ()
    checkpoints: str = ""
    """The folder of checkpoints that survive pods, where there is one."""
    in_pod: bool = False


def place_of(settings: Settings, data_dir: Path, home: Path, artifacts: str) -> Place:
    """This machine, as the settings have it."""
    return Place(
        data_dir=data_dir,
        home=home,
        artifacts=artifacts,
        environment_timeout_s=settings.environment_timeout_s,
        max_artifact_bytes=int(settings.max_artifact_gb * _GIGABYTE),
        dataset_cache_bytes=int(settings.dataset_cache_gb * _GIGABYTE),
        dataset_timeout_s=settings.dataset_timeout_s,
        cores=_cores(settings.train_cpus),
    )


class SpecMaker:
    def __init__(self, place: Place, code_folder: Callable[[str], Path]) -> None:
        """`code_folder`: where the code of that key is, or will be, checked out."""
        self._place = place
        self._code_folder = code_folder

    def __call__(self, run: RunFile, attempt: int, judge: str) -> RunSpec:
        """Raises NotBegun for what this Pawl can't do, and where the code is gone."""
        _check(run.train)
        root = self._code_folder(run.code_key)
        if not self._place.in_pod and not root.is_dir():
            message = f"the code of run {run.run} is not in {root} any more; retry the run, which checks it out again"
            raise NotBegun(Failure(None, message, heals=True, state=RunState.LOST))
        place = self._place
        return RunSpec(
            run=run.run,
            attempt=attempt,
            model=run.model,
            commit=run.commit,
            code_key=run.code_key,
            train=run.train,
            root=str(root),
            home=str(place.home / run.run),
            data_dir=str(place.data_dir),
            artifacts=place.artifacts,
            environment_timeout_s=place.environment_timeout_s,
            max_artifact_bytes=place.max_artifact_bytes,
            dataset_cache_bytes=place.dataset_cache_bytes,
            dataset_timeout_s=place.dataset_timeout_s,
            dataset_fingerprint=run.dataset_fingerprint,
            validation_fingerprint=run.validation_fingerprint,
            judge=judge,
            started_by=run.started_by,
            cores=place.cores,
            checkpoint=f"{place.checkpoints}/{run.run}" if place.checkpoints else "",
            in_pod=place.in_pod,
        )


def _check(train: Train) -> None:
    """Keys that a manifest may have and that nothing here does would train something else than was asked for."""
    key, what = ("search", "searches") if train.search is not None else ("workers", "runs of several processes")
    if train.search is not None or train.workers > 1:
        message = f"model.yaml asks for train.{key}, and this version of Pawl can't do {what} yet; remove the key"
        raise NotBegun(Failure(Reason.BAD_CONTRACT, message))


def _cores(most: int) -> tuple[int, ...]:
    """`most` of the processors that we may use, the last ones; 0: all but one, and at least one."""
    ours = sorted(os.sched_getaffinity(0))
    return tuple(ours[-min(most or max(1, len(ours) - 1), len(ours)) :])
