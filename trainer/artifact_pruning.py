"""Removes artifacts and checkpoints that nothing needs any more."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence, Set

from core.errors import PawlError
from core.runs.states import RunState
from loader.artifacts.checkpoints import StoredCheckpoints
from loader.artifacts.store import ArtifactStore
from loader.artifacts.unused import InUse, remove, unused
from loader.artifacts.uses import Uses
from trainer.catalogue.views import RunView

log = logging.getLogger("pawl.trainer")

PAUSE_S = 600.0


class ArtifactPruning:
    """`run` until it is cancelled. Only the daemon that trains removes anything; each says what it needs."""

    def __init__(
        self,
        store: ArtifactStore,
        checkpoints: StoredCheckpoints,
        uses: Uses,
        runs: Callable[[], Awaitable[Sequence[RunView]]],
        needed: Callable[[], Set[str]],
        acts: Callable[[], Awaitable[bool]],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`runs`: all that the store knows of, read just now; raises StoreUnavailable. `needed`: the artifacts of
        releases that run, or that one may go back to. `acts`: whether this daemon is the one that trains."""
        self._store = store
        self._checkpoints = checkpoints
        self._uses = uses
        self._runs = runs
        self._needed = needed
        self._acts = acts
        self._now = now
        self._problem = ""

    async def run(self, ready: asyncio.Event) -> None:
        """`ready`: set once it is known what is served."""
        await ready.wait()
        while True:
            try:
                await self.prune()
                self._problem = ""
            except PawlError as error:
                if str(error) != self._problem:
                    log.warning("no artifact is removed for now: %s", error)
                self._problem = str(error)
            except Exception:
                log.exception("a failure of Pawl's own while removing artifacts; going on")
            await asyncio.sleep(PAUSE_S)

    async def prune(self) -> list[str]:
        """Which artifacts went. Raises StoreUnavailable."""
        await asyncio.to_thread(self._uses.tell, self._needed())
        if not await self._acts():
            return []
        runs = await self._runs()
        ended = {run.run: run.ended_at.timestamp() for run in runs if run.state.is_terminal and run.ended_at}
        # Before artifacts go, which takes minutes: by then somebody may have tried one of the runs again.
        await asyncio.to_thread(self._checkpoints.prune, ended, self._now())
        found = await asyncio.to_thread(self._unused, runs)
        needed = self._needed()  # again, for somebody may have pinned an old one meanwhile
        gone = await asyncio.to_thread(remove, self._store, [id for id in found if id not in needed])
        if gone:
            log.info("artifacts that nothing needs any more are removed: %s", ", ".join(gone))
        return gone

    def _unused(self, runs: Sequence[RunView]) -> list[str]:
        there = self._store.list()
        return unused(there, in_use(runs, self._uses.of_others()), self._now())


def in_use(runs: Sequence[RunView], live: frozenset[str]) -> InUse:
    """What runs and others need. Of each model, the latest artifacts that were accepted are kept, and the latest that
    were rejected, for somebody may accept one yet."""
    recent: dict[Hashable, list[str]] = defaultdict(list)
    over = [run for run in runs if run.artifact and run.state.is_terminal]
    for run in sorted(over, key=lambda run: run.ended_at or run.queued_at, reverse=True):
        if run.state in (RunState.SUCCEEDED, RunState.REJECTED):
            recent[run.model, run.state].append(run.artifact)
    return InUse(
        live,
        recent,
        undecided=frozenset(run.artifact for run in runs if run.artifact and not run.state.is_terminal),
        decided=frozenset(run.artifact for run in over),
    )
