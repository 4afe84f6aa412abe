"""Removes releases and environments that are no longer needed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import ReleaseFailed
from core.release import Release
from loader.environments.environment import Environments
from loader.environments.requirements_files import requirements_of, training_requirements_of
from loader.releases.proofs import ProofStore
from loader.releases.store import ReleaseStore

log = logging.getLogger("pawl.loader")

KEPT = 3
"""Releases of each model that are kept besides those in use: an old version asked for by name starts at once."""
GONE_S = 3600.0
"""How long the environments of a model that is gone are kept: what is deleted by mistake is back at once."""
PAUSE_S = 1.0
"""Between one pruning and the next."""
_RECENT_NS = 2_000_000_000
"""A folder that changed just now may change again at what its file system takes for the same time."""


@dataclass(frozen=True)
class _Pruned:
    """What was found when a model was pruned: as long as it is so, there is nothing to prune."""

    in_use: frozenset[str]
    changed_at: int
    environments: frozenset[str]
    """What its releases need."""


class ReleasePruning:
    """Prunes whenever a model has gone live, failed or gone. A failure is logged and changes nothing else."""

    def __init__(
        self,
        release_store: ReleaseStore,
        environments: Environments,
        in_use: Callable[[], Iterable[Release]],
        followed: Callable[[], Iterable[str] | None],
        pause_s: float = PAUSE_S,
        proofs: ProofStore | None = None,
        gone_s: float = GONE_S,
        trained: Callable[[], Iterable[tuple[str, Path]]] = list,
    ) -> None:
        """`in_use`: releases whose files are needed. `followed`: the models; None while that isn't known. `trained`:
        models, and the folders, never changed, that hold the code that they are trained with."""
        self._release_store = release_store
        self._environments = environments
        self._in_use = in_use
        self._followed = followed
        self._pause_s = pause_s
        self._proofs = proofs
        self._gone_s = gone_s
        self._trained = trained
        self._training: dict[tuple[str, Path], str | None] = {}
        """Environments that the code is trained in."""
        self._pruned: dict[str, _Pruned] = {}
        self._gone: dict[str, float] = {}
        """Environments of models that are gone, and until when they are kept, in `time.monotonic()`."""

    async def run(self, outcome: asyncio.Event) -> None:
        while True:
            await outcome.wait()
            outcome.clear()
            try:
                await self.prune()
            except Exception:
                log.exception("a failure of Pawl's own while removing what is no longer needed")
            await asyncio.sleep(self._pause_s)

    async def prune(self) -> None:
        in_use = defaultdict[str, set[str]](set)
        for release in self._in_use():
            in_use[release.model].add(release.id)
        followed = self._followed()
        models = None if followed is None else {*followed, *in_use}
        await asyncio.to_thread(self._prune, in_use, models)

    def _prune(self, in_use: Mapping[str, set[str]], models: set[str] | None) -> None:
        if models is not None:
            self._release_store.prune_models(models)
            if self._proofs is not None:
                self._proofs.prune_models(models)
        before = self._pruned
        self._pruned = {
            model: self._prune_model(model, in_use.get(model, set())) for model in self._release_store.models()
        }
        self._remember({id for model in before.keys() - self._pruned.keys() for id in before[model].environments})
        needed = {id for pruned in self._pruned.values() for id in pruned.environments}
        self._environments.prune({*needed, *self._gone, *self._of_training()})

    def _of_training(self) -> set[str]:
        """The next run finds the environment of the last, and a release that of the run that it comes from."""
        before = self._training
        self._training = {
            key: before[key] if key in before else self._id_of(training_requirements_of(key[1], key[0]), key[1])
            for key in self._trained()
        }
        return {id for id in self._training.values() if id is not None}

    def _remember(self, gone: set[str]) -> None:
        now = time.monotonic()
        self._gone = {id: until for id, until in self._gone.items() if until > now}
        self._gone |= dict.fromkeys(gone, now + self._gone_s)

    def _prune_model(self, model: str, in_use: set[str]) -> _Pruned:
        before = self._pruned.get(model)
        if (
            before is not None
            and before.in_use == in_use
            and before.changed_at == self._release_store.changed_at(model)
        ):
            return before
        self._release_store.prune(model, {*in_use, *self._release_store.newest(model, KEPT)})
        changed_at = self._release_store.changed_at(
            model
        )  # before its releases are looked at, so that a later one is noticed
        if time.time_ns() - changed_at < _RECENT_NS:
            changed_at = 0
        roots = self._release_store.roots(model)
        found = {self._id_of(requirements_of(root, model), root) for root in roots}
        return _Pruned(frozenset(in_use), changed_at, frozenset(id for id in found if id is not None))

    def _id_of(self, requirements: Path | None, root: Path) -> str | None:
        try:
            return self._environments.id_of(requirements, within=root)
        except (ReleaseFailed, OSError):
            return None  # one whose requirements can't be read has none
