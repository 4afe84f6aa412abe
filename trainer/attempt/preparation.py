"""What an attempt needs before the author's code can start: its environment, and its data."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from core.errors import DatasetUnavailable, Heals, ReleaseFailed
from core.runs.runs import Failure, RunSpec
from core.runs.states import Reason
from loader.environments.environment import SHARED, Environment, Environments
from loader.environments.in_use import hold
from loader.environments.requirements_files import training_requirements_of
from trainer.attempt.attempt import NotPrepared, Prepared

log = logging.getLogger("pawl.trainer")

FetchData = Callable[[str, Path, str], Path]
"""The local path of what an address names, in a folder where it is no URL, and of that fingerprint, where one is given.
Raises DatasetUnavailable."""


class Preparation:
    def __init__(self, spec: RunSpec, environ: Mapping[str, str], fetch: FetchData) -> None:
        """`environ`: what building an environment may see."""
        self._spec = spec
        self._environ = environ
        self._fetch = fetch

    def __call__(self) -> Prepared:
        """Blocks, for minutes perhaps. Raises NotPrepared, StoreUnavailable."""
        environment = self._environment()
        train = self._spec.train
        return Prepared(
            python=environment.python,
            packages=environment.packages,
            dataset=self._data("dataset", train.dataset, self._spec.dataset_fingerprint),
            validation=self._data("validation", train.validation, self._spec.validation_fingerprint),
        )

    def _environment(self) -> Environment:
        """One that is there already is used; it is kept from being removed meanwhile."""
        data = Path(self._spec.data_dir)
        environments = Environments(
            data / "envs",
            self._environ,
            self._spec.environment_timeout_s,
            cache=data / "cache",
            aside=f"{SHARED}{self._spec.run}-",
        )
        requirements = training_requirements_of(Path(self._spec.root), self._spec.model)
        try:
            while True:
                environment = environments.build(requirements, log.info, within=Path(self._spec.root))
                if environment.id is None or hold(data / "envs" / environment.id):
                    return environment
        except ReleaseFailed as error:
            failure = Failure(Reason.ENVIRONMENT, str(error), error.detail, heals=True)
            raise NotPrepared(failure) from error

    def _data(self, key: str, address: str | None, fingerprint: str) -> Path | None:
        if address is None:
            return None
        try:
            return self._fetch(address, Path(self._spec.folder), fingerprint)
        except DatasetUnavailable as error:
            failure = Failure(Reason.DATASET, f"train.{key}: {error}", heals=error.heals is not Heals.NEVER)
            raise NotPrepared(failure) from error
