"""Takes a model's folder in: proves it beside what runs, and makes it a commit."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from core.errors import ReleaseFailed
from core.events import Actor, Event, EventKind
from core.names import why_not_a_model_name
from core.release import Candidate, Revision
from loader.desire import newest_release
from loader.files.model_folders import MANIFEST
from loader.reconcile import Reconciler
from loader.sources.changes import Change, ManifestText, Proposal
from loader.sources.source import Source
from loader.workers.starter import Starter
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from server.steering.actions.actions import Action, Actions, ActionState, new_action
from server.uploads.archive import unpack
from server.uploads.error_codes import upload_code_of
from server.uploads.errors import (
    ManifestChanged,
    NameTaken,
    StillUnderWay,
    TooManyUploads,
    UploadTooLarge,
    not_kept,
)
from server.uploads.training_contract import check_training
from server.versions.versions import ModelNotFound

_STOP_S = 5.0
_LOOK_S = 10.0
"""For what was pushed to be seen."""
LONGEST_WAIT_S = 50.0
"""A gateway gives up on a silent daemon after 60."""
_ACTIONS = {EventKind.UPLOADED: "upload", EventKind.DELETED: "delete"}
_MOST_COMING_IN = 4
"""Uploads of which the disk holds a part at one time."""


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What an upload, or a deletion, came to."""

    model: str
    commit: str
    """Empty for a deletion from a local folder."""
    release: str | None
    """That was proven; None: the model goes, or has to be trained first."""
    changed: bool = True
    """Whether it was not there before, as it was handed in."""


class Uploads:
    """One at a time: each stands on the head that the one before left."""

    def __init__(
        self,
        source: Source,
        reconciler: Reconciler,
        starter: Starter,
        event_log: EventLog,
        actions: Actions,
        folder: Path,
        most_bytes: int,
    ) -> None:
        """`actions`: where what takes long is followed. `folder`: for what is being taken in; what a killed daemon left
        there goes."""
        shutil.rmtree(folder, ignore_errors=True)
        self.most_bytes = most_bytes
        self._source = source
        self._reconciler = reconciler
        self._starter = starter
        self._event_log = event_log
        self._actions = actions
        self._folder = folder
        self._turn = asyncio.Lock()
        self._coming_in = 0
        self._under_way: set[asyncio.Task[Uploaded]] = set()

    async def put(
        self,
        model: str,
        zipped: AsyncIterator[bytes],
        by: Actor,
        reason: str,
        head: str,
        wait_s: float = LONGEST_WAIT_S,
    ) -> Uploaded:
        """What the zip holds becomes the model's folder. `head`: that its author saw, or "". `wait_s`: once it is here.

        Raises NameTaken, TooManyUploads, UploadTooLarge, ArchiveInvalid, HeadMoved, NotWritable, ReleaseFailed,
        SourceError, NotKept, StillUnderWay.
        """
        if why := why_not_a_model_name(model):
            raise NameTaken(f"no model can be called {model[:100]!r}: {why}")
        with self._one_more(), self._keeping():
            folder = self._new_folder()
            try:
                await self._receive(zipped, folder / "archive.zip")
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        change = Change(model, folder / "files", by.name, _message(f"Upload {model}", by, reason), head)
        event = Event(kind=EventKind.UPLOADED, message="", model=model, actor=by, reason=reason)
        return await self._through(self._take_in(folder, change, event), event, wait_s)

    async def manifest(self, model: str) -> bytes:
        """The text of the model's `model.yaml`; empty where it has none. Raises ModelNotFound, SourceError."""
        return (await self._manifest_text(model)).text

    async def edit(self, model: str, text: bytes, seen: bytes, by: Actor, reason: str) -> Uploaded:
        """The text becomes the model's `model.yaml`, and all else stays. `seen`: what it was to its author.

        Raises ModelNotFound, ManifestChanged, HeadMoved, NotWritable, ReleaseFailed, SourceError, NotKept,
        StillUnderWay.
        """
        now = await self._manifest_text(model)
        if now.text != seen:
            raise ManifestChanged(f"{MANIFEST} of {model} was changed meanwhile; look at it again")
        with self._keeping():
            folder = self._new_folder()
        message = _message(f"Edit {MANIFEST} of {model}", by, reason)
        change = Change(model, folder / "files", by.name, message, now.head, keeps_others=True)
        event = Event(kind=EventKind.UPLOADED, message="", model=model, actor=by, reason=reason)
        return await self._through(self._write(folder, text, change, event), event, LONGEST_WAIT_S)

    async def _manifest_text(self, model: str) -> ManifestText:
        if model not in self._reconciler.heads:
            raise ModelNotFound(f"no model {model[:100]!r} is followed")
        return await asyncio.to_thread(self._source.manifest_text, model)

    async def _write(self, folder: Path, text: bytes, change: Change, event: Event) -> Uploaded:
        try:
            assert change.files is not None
            change.files.mkdir()
            (change.files / MANIFEST).write_bytes(text)
            return await self._make(change, event)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def delete(self, model: str, by: Actor, reason: str, head: str, wait_s: float = LONGEST_WAIT_S) -> Uploaded:
        """The model's folder goes.

        Raises ModelNotFound, HeadMoved, NotWritable, SourceError, NotKept, StillUnderWay.
        """
        if model not in self._reconciler.heads:
            raise ModelNotFound(f"no model {model[:100]!r} is followed")
        change = Change(model, None, by.name, _message(f"Delete {model}", by, reason), head)
        event = Event(kind=EventKind.DELETED, message="", model=model, actor=by, reason=reason)
        return await self._through(self._make(change, event), event, wait_s)

    async def _through(self, work: Coroutine[Any, Any, Uploaded], event: Event, wait_s: float) -> Uploaded:
        """To its end, though whoever asked goes away: what was pushed is told."""
        task = asyncio.create_task(self._kept(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.wait({task}, timeout=min(wait_s, LONGEST_WAIT_S))
        if task.done():
            return task.result()
        assert event.actor is not None
        what = _ACTIONS[event.kind]
        action = self._actions.put(new_action(what, event.model, event.actor, event.reason))
        task.add_done_callback(lambda done: self._end(action, done))
        raise StillUnderWay(action)

    def _end(self, action: Action, task: asyncio.Task[Uploaded]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            done: dict[str, Any] = {"state": ActionState.DONE, "commit": task.result().commit}
        else:
            done = {"state": ActionState.FAILED, "code": upload_code_of(error), "message": str(error)}
            done["stage"] = getattr(error, "stage", "")
        self._actions.put(msgspec.structs.replace(action, **done))

    async def _kept(self, work: Coroutine[Any, Any, Uploaded]) -> Uploaded:
        with self._keeping():
            return await work

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        """Raises NotKept for what a disk refuses."""
        try:
            yield
        except OSError as error:
            raise not_kept(error, self._folder) from error

    def _new_folder(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="upload-", dir=self._folder))

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        if self._coming_in >= _MOST_COMING_IN:
            raise TooManyUploads(f"{_MOST_COMING_IN} uploads are coming in, as many as may; try again soon")
        self._coming_in += 1
        try:
            yield
        finally:
            self._coming_in -= 1

    async def _receive(self, zipped: AsyncIterator[bytes], to: Path) -> None:
        size = 0
        with to.open("wb", buffering=0) as file:
            async for piece in zipped:
                size += len(piece)
                if size > self.most_bytes:
                    raise UploadTooLarge(f"an upload has at most {self.most_bytes // 2**20:,} MB (UPLOAD_MAX_MB)")
                await asyncio.to_thread(file.write, piece)  # a full or slow disk holds up nobody else

    async def _take_in(self, folder: Path, change: Change, event: Event) -> Uploaded:
        try:
            assert change.files is not None
            change.files.mkdir()
            await asyncio.to_thread(unpack, folder / "archive.zip", change.model, change.files, self.most_bytes)
            return await self._make(change, event)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _make(self, change: Change, event: Event) -> Uploaded:
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
        release = newest_release(revision, self._reconciler.decided)
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


def _message(subject: str, by: Actor, reason: str) -> str:
    body = f"\n{reason.strip()}\n" if reason.strip() else ""
    return f"{subject}\n{body}\nUploaded through Pawl by {by.name or 'a program of this machine'}.\n"


def _told(change: Change, commit: str) -> str:
    edited = f": {MANIFEST} was edited" if change.keeps_others else " was uploaded"
    what = " was deleted" if change.files is None else edited
    return f"{change.model}{what}" + (f", as commit {commit[:12]}" if commit else "")


def _ignore(_: object) -> None: ...


def _nothing() -> None: ...
