"""Makes a change of a model's folder: proves it beside what runs, has the source take it, and tells of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec

from core.errors import ReleaseFailed
from core.events import Event
from core.release import Candidate, Revision
from loader.desire import newest_release
from loader.files.model_folders import MANIFEST
from loader.reconcile import Reconciler
from loader.sources.changes import Change, Proposal
from loader.sources.source import Source
from loader.workers.starter import Starter
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from server.uploads.submission import Uploaded
from server.uploads.training_contract import check_training

_STOP_S = 5.0
_LOOK_S = 10.0
"""For what was pushed to be seen."""


class ChangeMaker:
    """One change at a time: each stands on the head that the one before left."""

    def __init__(self, source: Source, reconciler: Reconciler, starter: Starter, event_log: EventLog) -> None:
        self._source = source
        self._reconciler = reconciler
        self._starter = starter
        self._event_log = event_log
        self._turn = asyncio.Lock()

    async def make(self, change: Change, event: Event) -> Uploaded:
        """`event` is told with what became of it. Raises HeadMoved, NotWritable, ReleaseFailed, SourceError."""
        async with self._turn:
            proposal = await asyncio.to_thread(self._source.propose, change)
            try:
                release = None if change.files is None else await self._proven(change, change.files, proposal)
                is_change = await asyncio.to_thread(lambda: proposal.is_change)
                commit = await asyncio.to_thread(proposal.make)
            finally:
                await asyncio.to_thread(proposal.close)
            if is_change:  # the next one stands on what was pushed
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._reconciler.look_now(), _LOOK_S)
        if is_change:
            await self._tell(msgspec.structs.replace(event, message=_told(change, commit), commit=commit))
        return Uploaded(model=change.model, commit=commit, release=release, changed=is_change)

    async def _proven(self, change: Change, files: Path, proposal: Proposal) -> str | None:
        """The id of the release that answered its examples; None: it has to be trained first. Raises ReleaseFailed."""
        revision = _revision(change.model, proposal.candidate)
        if revision.code_key is not None:
            folder = await asyncio.to_thread(_whole, revision, proposal, files) if change.keeps_others else files
            await asyncio.to_thread(check_training, folder, revision.manifest.train)
        release = newest_release(revision, self._reconciler.known.decided)
        if release is None:
            return None
        pool = await self._starter.start(
            release, proposal, replicas=1, progress=_ignore, changed=_nothing, report=_ignore
        )
        await pool.stop(_STOP_S)
        return release.id

    async def _tell(self, event: Event) -> None:
        """The change is made: where the registry is away, it is told of it once it is back."""
        try:
            await self._event_log.commit(lambda _: [event])
        except RegistryUnavailable:
            self._event_log.record(event)


def _revision(model: str, candidate: Candidate | None) -> Revision:
    if candidate is None:
        raise ReleaseFailed(
            f"{model} would be no model; one is a folder with an etls.py, a train.py, a model.yaml or an .onnx file",
            stage="manifest",
        )
    if candidate.revision is None:
        raise candidate.failure or ReleaseFailed(f"{model} could not be read", stage="manifest")
    return candidate.revision


def _whole(revision: Revision, proposal: Proposal, files: Path) -> Path:
    """The model's folder as it will be, beside what is handed in of it. Raises ReleaseFailed."""
    into = files.with_name("whole")
    into.mkdir()
    proposal.check_out(revision, into)
    return into / revision.model


def _told(change: Change, commit: str) -> str:
    edited = f": {MANIFEST} was edited" if change.keeps_others else " was uploaded"
    what = " was deleted" if change.files is None else edited
    return f"{change.model}{what}" + (f", as commit {commit[:12]}" if commit else "")


def _ignore(_: object) -> None: ...


def _nothing() -> None: ...
