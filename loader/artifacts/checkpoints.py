"""Checkpoints of runs in a store: `checkpoints/<run key>/`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress

from core.errors import PawlError
from loader.artifacts.files.files import Files
from loader.artifacts.store import ArtifactStore

log = logging.getLogger("pawl")

CHECKPOINTS = "checkpoints"
_KEPT_S = 86_400.0
"""Seconds after its end in which somebody may try a run again."""


class StoredCheckpoints:
    """A run that succeeded removed its own. That of another is kept for a while, for somebody may try it again."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def prune(self, ended: Mapping[str, float], now: float) -> list[str]:
        """Remove what is left of runs that ended long ago; their keys. `ended`, `now`: in seconds since 1970.

        Raises StoreUnavailable; what can't be removed is left for the next time.
        """
        gone = []
        for run in self._files.folders(CHECKPOINTS):
            if ended.get(run, now) < now - _KEPT_S:
                try:
                    self._remove(f"{CHECKPOINTS}/{run}")
                    gone.append(run)
                except (PawlError, OSError) as error:
                    log.warning("the checkpoint of run %s stays for now: %s", run, error)
        return gone

    def _remove(self, at: str) -> None:
        if self._files.local(at) is not None:  # a folder that pods write to, as it is
            with suppress(FileNotFoundError):
                self._files.remove(at, "")
        else:
            store = ArtifactStore(self._files, root=at)
            for one in store.list():
                store.delete(one.name)
