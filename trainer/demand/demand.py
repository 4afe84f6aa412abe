"""Which runs the head wants: for each model that trains, that of its code and of the data as it is now."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from core.errors import DatasetUnavailable, Heals, PawlError, ReleaseFailed
from core.manifest import cron
from core.manifest.train import Train
from core.release import Revision, Version
from core.runs.runs import run_key
from trainer.demand.code_folders import CodeFolders, git_ids
from trainer.records.open_runs import RunFile

Fingerprint = Callable[[str, Mapping[str, str]], str]
"""What changes when the data at an address does, given the ids of the folder's files. Raises DatasetUnavailable."""

BY_COMMIT = "commit "
"""How it is told that a commit began a run."""
UNAVAILABLE = "unavailable"
"""In place of the fingerprint of data that can't be had: the run says why."""
_PAUSE_S = 5.0
"""Before what failed is tried again."""
_LONG_PAUSE_S = 300.0
"""Likewise, of code that can't be checked out as it is: each try writes all of its files."""


@dataclass(frozen=True)
class Trainable:
    """A model that trains, at the followed head."""

    version: Version
    revision: Revision

    @property
    def train(self) -> Train:
        return self.revision.manifest.train or Train()


@dataclass(frozen=True)
class _Failed:
    """A model's code or data could not be looked at."""

    code_key: str | None
    said: str
    again_at: float


@dataclass(frozen=True)
class _Seen:
    """The data of a code key, as it was looked at last."""

    dataset: str
    validation: str
    next_look: datetime | None
    is_new: bool = False
    """Whether it was other data before, under the same code."""


class Demand:
    """`wanted` blocks, for it reads data, and is called by one thread at a time."""

    def __init__(
        self,
        code_folders: CodeFolders,
        fingerprint: Fingerprint,
        now: Callable[[], float] = time.time,
        told: Callable[[Trainable, str], None] = lambda trainable, why: None,
    ) -> None:
        """`told` gets why the run of a model waits, or has no data any more: once."""
        self._code_folders = code_folders
        self._fingerprint = fingerprint
        self._now = now
        self._told = told
        self._seen: dict[str, _Seen] = {}
        self._kept: set[str] | None = None
        self.undecided: frozenset[str] = frozenset()
        """Code keys of which nobody could tell at the last look which run is wanted: their code or data is away."""
        self._failed: dict[str, _Failed] = {}
        """By model, the last time, if it has not gone well since."""

    def wanted(self, models: Mapping[str, Trainable]) -> list[RunFile]:
        """What fails of one model is told, and tried again after a pause."""
        tried = [(trainable, self._tried(trainable)) for trainable in models.values()]
        self.undecided = frozenset(trainable.revision.code_key or "" for trainable, run in tried if run is None)
        keys = {trainable.revision.code_key for trainable in models.values()}
        self._seen = {key: seen for key, seen in self._seen.items() if key in keys}
        return [run for _, run in tried if run is not None]

    def run_of(self, trainable: Trainable, started_by: str, params: dict[str, Any] | None = None) -> RunFile:
        """The run of a revision and of its data as it is now, for whoever asks for one; `params`: a person's own, in
        place of the folder's. Raises PawlError, OSError."""
        return self._run_of(trainable, started_by, self._look(trainable, asked=True), params)

    def _run_of(
        self, trainable: Trainable, started_by: str, seen: _Seen, params: dict[str, Any] | None = None
    ) -> RunFile:
        revision = trainable.revision
        assert revision.code_key is not None
        given = trainable.train.params
        train = msgspec.structs.replace(trainable.train, params={**given, **(params or {})})
        asked = {} if train.params == given else {"params": train.params}
        return RunFile(
            run=run_key(revision.code_key, seen.dataset, seen.validation, asked),
            model=revision.model,
            commit=trainable.version.commit,
            code_key=revision.code_key,
            train=train,
            queued_at=self._now(),
            dataset_fingerprint=seen.dataset,
            validation_fingerprint=seen.validation,
            started_by=started_by,
            own=bool(asked),
        )

    def prune(self, code_keys: set[str]) -> None:
        """Remove the code of others."""
        if code_keys != self._kept:
            self._code_folders.prune(code_keys)
            self._kept = code_keys

    def _tried(self, trainable: Trainable) -> RunFile | None:
        model = trainable.revision.model
        failed = self._failed.get(model)
        if failed is not None and failed.code_key == trainable.revision.code_key and self._now() < failed.again_at:
            return None
        try:
            seen = self._look(trainable)
            run = self._run_of(trainable, f"{BY_COMMIT}{trainable.version.commit}", seen)
            if seen.is_new:
                run = msgspec.structs.replace(run, started_by=f"new data, at {run.started_by}")
        except (PawlError, OSError) as error:
            if failed is None or str(error) != failed.said:
                self._told(trainable, f"a run can't be queued yet: {error}")
            again_at = self._now() + (_LONG_PAUSE_S if _is_for_good(error) else _PAUSE_S)
            self._failed[model] = _Failed(trainable.revision.code_key, str(error), again_at)
            return None
        self._failed.pop(model, None)
        return run

    def _look(self, trainable: Trainable, *, asked: bool = False) -> _Seen:
        key, train = trainable.revision.code_key, trainable.train
        assert key is not None
        folder = self._code_folders.put(trainable.revision) / trainable.revision.model
        seen, now = self._seen.get(key), datetime.fromtimestamp(self._now(), UTC)
        if seen is None or asked or (seen.next_look is not None and seen.next_look <= now):
            next_look = None if train.schedule is None else cron.next_time(train.schedule, now)
            seen = self._seen[key] = self._seen_anew(trainable, folder, seen, next_look)
        return seen

    def _seen_anew(self, trainable: Trainable, folder: Path, before: _Seen | None, next_look: datetime | None) -> _Seen:
        train, missing = trainable.train, list[str]()
        dataset, validation = (self._fingerprint_of(one, folder, missing) for one in (train.dataset, train.validation))
        is_other = before is not None and (before.dataset, before.validation) != (dataset, validation)
        if is_other and missing:  # the run that says so may be over since the last time
            self._told(trainable, f"the data can't be had any more: {'; '.join(missing)}")
        return _Seen(dataset, validation, next_look, is_other or (before is not None and before.is_new))

    def _fingerprint_of(self, address: str | None, folder: Path, missing: list[str]) -> str:
        """`missing` gets why the data can't be had."""
        if address is None:
            return ""
        try:
            return self._fingerprint(address, {} if "://" in address else git_ids(folder, address))
        except DatasetUnavailable as error:
            if error.heals is not Heals.NEVER:
                raise
            missing.append(str(error))
            return UNAVAILABLE


def _is_for_good(error: Exception) -> bool:
    return isinstance(error, ReleaseFailed) and error.heals is Heals.NEVER
