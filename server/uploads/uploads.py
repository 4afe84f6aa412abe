"""Changes of models' folders that somebody hands in: a folder, its `model.yaml` alone, or that it goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import msgspec

from core.events import Event, EventKind
from core.names import why_not_a_model_name
from loader.files.model_folders import MANIFEST
from loader.reconcile import Reconciler
from loader.sources.changes import Change, ManifestText
from loader.sources.source import Source
from server.steering.actions.actions import Action, Actions, ActionState, new_action
from server.uploads.change_maker import ChangeMaker
from server.uploads.error_codes import upload_code_of
from server.uploads.errors import ManifestChanged, NameTaken, StillUnderWay, TooManyUploads
from server.uploads.file_names import folded
from server.uploads.intake import Intake, Received
from server.uploads.submission import Author, Uploaded
from server.versions.version_reader import ModelNotFound

LONGEST_WAIT_S = 50.0
"""A gateway gives up on a silent daemon after 60."""
MOST_UNDER_WAY = 16
"""Changes that are proven, one after another; each may hold two times UPLOAD_MAX_MB of the disk."""
_ACTIONS = {EventKind.UPLOADED: "upload", EventKind.DELETED: "delete"}


class Uploads:
    """Each is brought to its end, whether or not somebody waits for it.

    All of them raise HeadMoved, NotWritable, SourceError, NotKept and StillUnderWay.
    """

    def __init__(
        self, source: Source, reconciler: Reconciler, intake: Intake, maker: ChangeMaker, actions: Actions
    ) -> None:
        """`actions`: where what takes long is followed."""
        self._source = source
        self._reconciler = reconciler
        self._intake = intake
        self._maker = maker
        self._actions = actions
        self._under_way: set[asyncio.Task[Uploaded]] = set()

    @property
    def most_bytes(self) -> int:
        """Of one upload."""
        return self._intake.most_bytes

    async def put(
        self, model: str, zipped: AsyncIterator[bytes], author: Author, wait_s: float = LONGEST_WAIT_S
    ) -> Uploaded:
        """What the zip holds becomes the model's folder. `wait_s`: once it is here.

        Raises NameTaken, TooManyUploads, UploadTooLarge, ArchiveInvalid and ReleaseFailed besides.
        """
        if why := why_not_a_model_name(model):
            raise NameTaken(f"no model can be called {model[:100]!r}: {why}")
        if other := self._differs_by_case(model):
            raise NameTaken(
                f"no model can be called {model!r}: on Windows and macOS its folder would be that of {other}"
            )
        if len(self._under_way) >= MOST_UNDER_WAY:
            raise TooManyUploads(f"{MOST_UNDER_WAY} changes wait to be proven, as many as may; try again soon")
        received = await self._intake.receive(zipped)
        event = author.event(EventKind.UPLOADED, model)
        message = author.message(f"Upload {model}")
        change = Change(model, received.files, author.actor.name, message, author.head)
        return await self._through(self._unpack(received, change, event), event, wait_s)

    async def manifest(self, model: str) -> bytes:
        """The text of the model's `model.yaml`; empty where it has none. Raises ModelNotFound, SourceError."""
        return (await self._manifest_text(model)).text

    async def edit(self, model: str, text: bytes, seen: bytes, author: Author) -> Uploaded:
        """The text becomes the model's `model.yaml`, and all else stays. `seen`: what it was to its author.

        Raises ModelNotFound, ManifestChanged and ReleaseFailed besides.
        """
        now = await self._manifest_text(model)
        if now.text != seen:
            raise ManifestChanged(f"{MANIFEST} of {model} was changed meanwhile; look at it again")
        received = self._intake.empty()
        event = author.event(EventKind.UPLOADED, model)
        message = author.message(f"Edit {MANIFEST} of {model}", "Edited")
        change = Change(model, received.files, author.actor.name, message, now.head, keeps_others=True)
        return await self._through(self._write(received, text, change, event), event, LONGEST_WAIT_S)

    async def delete(self, model: str, author: Author, wait_s: float = LONGEST_WAIT_S) -> Uploaded:
        """The model's folder goes. Raises ModelNotFound besides."""
        if model not in self._reconciler.known.heads:
            raise ModelNotFound(f"no model {model[:100]!r} is followed")
        event = author.event(EventKind.DELETED, model)
        message = author.message(f"Delete {model}", "Deleted")
        change = Change(model, None, author.actor.name, message, author.head)
        return await self._through(self._maker.make(change, event), event, wait_s)

    async def _manifest_text(self, model: str) -> ManifestText:
        if model not in self._reconciler.known.heads:
            raise ModelNotFound(f"no model {model[:100]!r} is followed")
        return await asyncio.to_thread(self._source.manifest_text, model)

    async def _unpack(self, received: Received, change: Change, event: Event) -> Uploaded:
        try:
            await received.unpack(change.model, self.most_bytes)
            return await self._maker.make(change, event)
        finally:
            await received.remove()

    async def _write(self, received: Received, text: bytes, change: Change, event: Event) -> Uploaded:
        try:
            received.write_manifest(text)
            return await self._maker.make(change, event)
        finally:
            await received.remove()

    def _differs_by_case(self, model: str) -> str | None:
        """The model that a new one of that name would be, where case doesn't count."""
        known = self._reconciler.known.heads
        return None if model in known else next((name for name in known if folded(name) == folded(model)), None)

    async def _through(self, work: Coroutine[Any, Any, Uploaded], event: Event, wait_s: float) -> Uploaded:
        """To its end, though whoever asked goes away: what was pushed is told."""
        task = asyncio.create_task(self._kept(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.wait({task}, timeout=min(wait_s, LONGEST_WAIT_S))
        if task.done():
            return task.result()
        assert event.actor is not None
        action = self._actions.put(new_action(_ACTIONS[event.kind], event.model, event.actor, event.reason))
        task.add_done_callback(lambda done: self._end(action, done))
        raise StillUnderWay(action)

    async def _kept(self, work: Coroutine[Any, Any, Uploaded]) -> Uploaded:
        with self._intake.keeping():
            return await work

    def _end(self, action: Action, task: asyncio.Task[Uploaded]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            done: dict[str, Any] = {"state": ActionState.DONE, "commit": task.result().commit}
        else:
            done = {"state": ActionState.FAILED, "code": upload_code_of(error), "message": str(error)}
            done["stage"] = getattr(error, "stage", "")
        self._actions.put(msgspec.structs.replace(action, **done))
