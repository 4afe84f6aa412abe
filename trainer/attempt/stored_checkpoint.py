"""What a run leaves in `checkpoint`, kept in the artifact store where no folder outlives its pod."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from pathlib import Path

from core.errors import ArtifactRefused, PawlError, StoreUnavailable
from core.folders import files_in
from loader.artifacts.files.files import Stored
from loader.artifacts.store import ArtifactStore

log = logging.getLogger("pawl.trainer")

_LOOK_S = 5.0
_SETTLED_S = 3.0
"""How long nothing must have changed: a file that is half written would be a checkpoint of no use."""
_SHARE = 10
"""Storing takes at most one part of so many of the time."""


class StoredCheckpoint:
    """The newest is kept, and those before it go. `run` until it is cancelled."""

    def __init__(self, store: ArtifactStore, folder: Path) -> None:
        """`store`: of this run's checkpoints alone."""
        self._store = store
        self._folder = folder
        self._stored: object = None
        """What the folder looked like when it was stored last."""
        self._trouble = ""
        self._turn = threading.Lock()
        """A store whose task was cancelled goes on in its thread: two at once would each remove what the other kept."""

    def restore(self) -> None:
        """What an earlier attempt left, unless something is there. Raises StoreUnavailable."""
        if self._folder.exists():
            return
        for one in self._newest_first():
            try:
                self._store.fetch(one.name, self._folder)
                break
            except StoreUnavailable:
                raise
            except PawlError as error:
                log.warning("a checkpoint can't be taken up: %s", error)
        for path, _, _ in files_in(self._folder):
            os.chmod(path, 0o644)
        self._stored = self._look()

    async def run(self) -> None:
        not_before = 0.0
        while True:
            await asyncio.sleep(_LOOK_S)
            if time.monotonic() >= not_before and self._is_settled():
                began = time.monotonic()
                await asyncio.to_thread(self.store)
                not_before = time.monotonic() + _SHARE * (time.monotonic() - began)

    def store(self) -> None:
        """As it is now, if it has changed. What fails is left for the next time."""
        with self._turn:
            self._store_changed()

    def remove(self) -> None:
        """All of the run's."""
        with self._turn:
            self._remove_all()

    def _store_changed(self) -> None:
        look = self._look()
        if not look or look == self._stored:
            return
        try:
            id = self._store.put(self._folder)
            self._stored = look
            for one in self._store.list():
                if one.name != id:
                    self._store.delete(one.name)
        except (StoreUnavailable, ArtifactRefused) as error:
            self._say(f"the checkpoint is not stored: {error}")

    def _remove_all(self) -> None:
        try:
            for one in self._store.list():
                self._store.delete(one.name)
        except StoreUnavailable as error:
            self._say(f"the checkpoint is not removed: {error}")

    def _newest_first(self) -> list[Stored]:
        return sorted(self._store.list(), key=lambda one: one.changed, reverse=True)

    def _is_settled(self) -> bool:
        return all(changed / 1e9 < time.time() - _SETTLED_S for _, _, changed in self._look())

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        """Names, sizes and when they changed; empty: there is nothing."""
        return tuple(sorted(files_in(self._folder)))

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.warning("%s", trouble)
        self._trouble = trouble
