"""Removes releases and environments that nobody needs any more."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from core.errors import ReleaseFailed
from core.release import Release
from loader.environments.environment import Environments
from loader.files.shelf import Shelf
from loader.workers.starter import requirements_of

log = logging.getLogger("pawl.loader")

KEPT = 3
"""Releases of each model that are kept besides those in use: an old version asked for by name starts at once."""
_PAUSE_S = 1.0


class Pruning:
    """Prunes whenever something has settled. A failure of it is logged and changes nothing else."""

    def __init__(
        self,
        shelf: Shelf,
        environments: Environments,
        in_use: Callable[[], Iterable[Release]],
        followed: Callable[[], Iterable[str] | None],
    ) -> None:
        """`in_use`: releases whose files are needed. `followed`: the models; None while that isn't known."""
        self._shelf = shelf
        self._environments = environments
        self._in_use = in_use
        self._followed = followed

    async def run(self, settled: asyncio.Event) -> None:
        while True:
            await settled.wait()
            settled.clear()
            try:
                await self.prune()
            except Exception:
                log.exception("a failure of Pawl's own while removing what is no longer needed")
            await asyncio.sleep(_PAUSE_S)

    async def prune(self) -> None:
        in_use = defaultdict[str, set[str]](set)
        for release in self._in_use():
            in_use[release.model].add(release.id)
        followed = self._followed()
        models = None if followed is None else {*followed, *in_use}
        await asyncio.to_thread(self._prune, in_use, models)

    def _prune(self, in_use: Mapping[str, set[str]], models: set[str] | None) -> None:
        if models is not None:
            self._shelf.prune_models(models)
        for model in self._shelf.models():
            self._shelf.prune(model, {*in_use.get(model, ()), *self._shelf.newest(model, KEPT)})
        self._environments.prune(self._environments_in_use())

    def _environments_in_use(self) -> set[str]:
        found = (self._environment(model, root) for model in self._shelf.models() for root in self._shelf.roots(model))
        return {id for id in found if id is not None}

    def _environment(self, model: str, root: Path) -> str | None:
        try:
            return self._environments.id_of(requirements_of(root, model))
        except (ReleaseFailed, OSError):
            return None  # one whose requirements can't be read has none
