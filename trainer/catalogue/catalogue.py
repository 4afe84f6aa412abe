"""Training runs as the admin API shows and changes them."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import msgspec

from core.errors import ArtifactGone, RunNotFound, RunStateConflict, StoreUnavailable
from core.runs.runs import LOG_BYTES
from core.runs.states import RunState
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from trainer.catalogue.index import RunIndex, page
from trainer.catalogue.run_reader import RunReader
from trainer.catalogue.views import RunDetail, RunView
from trainer.catalogue.wishes import Asked, Control, Doing

log = logging.getLogger("pawl.trainer")

_DOWNLOADS = ".downloads"
_LOOK_S = 1.0
_SOON_S = 0.05
_LOOKS = 100
"""For a run that was asked for: five seconds."""
_LONGER_LOOKS = 400
"""For a run that was cancelled, whose code has ten seconds to end: twenty."""
_REFRESH_S = 30.0
"""Between two looks at what other daemons wrote, or longer where one takes long."""
_SHARE = 50.0
"""How many times as long."""
_MOST_REMEMBERED = 1000
"""Runs that ended without a record: superseded before they began."""


_NOT_BEGUN = "the head of the branch wanted it no more before it could go on; it is queued again when that changes"


def _plainly(model: str, run: str) -> AbstractAsyncContextManager[None]:
    return nullcontext()


class RunCatalogue:
    """`run` keeps it up to date."""

    def __init__(
        self, records: RunRecords, artifacts: ArtifactStore, home: Path, control: Control, log_bytes: int = LOG_BYTES
    ) -> None:
        """`home`: the folder of the runs' own folders. `log_bytes`: what is kept of what an attempt prints."""
        self.files = RunReader(records, home, log_bytes)
        self._artifacts = artifacts
        self._home = home
        self._control = control
        self._index = RunIndex(records)
        self._refreshing = asyncio.Lock()
        self._refreshes = 0
        self._open: dict[str, RunView] = {}
        """As they were seen last."""
        self._ended: dict[str, RunView] = {}
        """Seen open, and now no more, and not read back from the store yet."""
        self._unrecorded: dict[str, RunView] = {}

    async def run(self) -> None:
        """Keep up with the store, for ever."""
        next_refresh = 0.0
        self.discard(self._home / _DOWNLOADS)  # what a daemon left that was killed
        while True:
            try:
                began = time.monotonic()
                await self._catch_up(refresh=began >= next_refresh)
                if began >= next_refresh:
                    next_refresh = began + max(_REFRESH_S, _SHARE * (time.monotonic() - began))
            except StoreUnavailable as error:
                log.warning("the list of runs may be behind: %s", error)
            except Exception:
                log.exception("a failure of Pawl's own: the list of runs goes on")
            await asyncio.sleep(_LOOK_S)

    def newest(self) -> Mapping[str, RunView]:
        """Of each model the run that was queued last."""
        found: dict[str, RunView] = {}
        for view in self._all():
            found.setdefault(view.model, view)
        return found

    def counts(self) -> Mapping[RunState, int]:
        counted = Counter(view.state for view in self._all())
        return {state: counted[state] for state in RunState}

    async def recorded(self) -> Sequence[RunView]:
        """All that the store says, read just now. Raises StoreUnavailable where it doesn't say all."""
        await self._refresh(of=self._refreshes)
        if unreadable := self._index.unreadable():
            raise StoreUnavailable(
                f"records of {len(unreadable)} runs can't be read (run {unreadable[0]} is the first)"
            )
        return self._index.newest_first()

    async def listed(
        self, *, model: str | None, state: str | None, limit: int, cursor: str | None
    ) -> tuple[list[RunView], str | None]:
        """The newest first, and the cursor of what follows. Raises StoreUnavailable."""
        await self._catch_up(refresh=not self._index.is_filled)
        views = self._all()
        if model is not None or state is not None:
            views = [view for view in views if model in (None, view.model) and state in (None, view.state)]
        return page(views, limit, cursor)

    async def find(self, key: str) -> RunView:
        """Raises RunNotFound, StoreUnavailable."""
        await self._catch_up(refresh=not self._index.is_filled)
        found = self._open.get(key) or self._ended.get(key) or self._index.find(key) or self._unrecorded.get(key)
        if found is None:
            raise RunNotFound(f"there is no run {key[:40]!r}; GET runs lists them")
        return found

    async def one(self, key: str) -> RunDetail:
        """Raises RunNotFound, StoreUnavailable."""
        view = await self.find(key)
        return await asyncio.to_thread(self.files.detail, view)

    async def start(self, model: str, asked: Asked, by: str, doing: Doing = _plainly) -> tuple[RunView, bool]:
        """The run, and whether it is new. `by`: who asks, and why. Raises what `Control.start` does."""
        key, is_new = await self._control.start(model, asked, by, doing)
        return await self._appeared(model, key, is_over=not is_new), is_new

    async def cancel(self, key: str, by: str, doing: Doing = _plainly) -> RunView:
        """Raises RunNotFound, RunStateConflict, StoreUnavailable, and what `doing` does, within which it is done;
        likewise those that follow."""
        view = await self.find(key)
        if not view.is_going_on:
            raise RunStateConflict(f"run {key} can't be cancelled: it is {view.state} already")
        async with doing(view.model, key):
            await self._control.cancel(view, by)
        return await asyncio.to_thread(self._index.reread, view.model, key) or await self._seen(view.model, key)

    async def retry(self, key: str, by: str, doing: Doing = _plainly) -> RunView:
        view = await self.find(key)
        if view.is_going_on:
            raise RunStateConflict(f"run {key} can't be tried again: it is still {view.state}; cancel it first")
        if view.state is RunState.SUPERSEDED:
            raise RunStateConflict(
                f"run {key} can't be tried again: it is superseded, and goes on once the head of the branch wants it; "
                f"start a run of commit {view.commit[:12]} to have it now"
            )
        await self._closed(key)
        if view.state is RunState.SUCCEEDED and await asyncio.to_thread(self._artifacts.has, view.artifact):
            raise RunStateConflict(f"run {key} has succeeded, and what it left is kept: it would leave the same again")
        async with doing(view.model, key):
            await self._control.retry(view, by)
        return await self._appeared(view.model, key, is_over=False)

    async def accept(self, key: str, by: str, doing: Doing = _plainly) -> RunView:
        """Raises ArtifactGone too."""
        view = await self.find(key)
        if view.state is not RunState.REJECTED:
            raise RunStateConflict(f"run {key} can't be accepted: it is {view.state}, and only a rejected one can be")
        if not await asyncio.to_thread(self._artifacts.has, view.artifact):
            raise ArtifactGone(f"the artifact of run {key} is no longer kept; retry the run")
        async with doing(view.model, key):
            await self._control.accept(view, by)
        return await self._seen(view.model, key)

    async def log(self, key: str, attempt: int | None) -> bytes:
        """What is kept of what an attempt printed, the last one's if none is named."""
        view = await self.find(key)
        return await asyncio.to_thread(self.files.log, view, attempt or view.attempts)

    def is_attempting(self, key: str, attempt: int) -> bool:
        """Whether that attempt has not ended, or not begun."""
        view = self._open.get(key)
        if view is None or view.attempts != attempt:
            return view is not None and view.attempts < attempt
        return view.state is not RunState.QUEUED

    async def artifact(self, key: str) -> tuple[RunView, Path]:
        """The run, and a folder with the files that it left, to be discarded.

        Raises RunNotFound, RunStateConflict, ArtifactGone, ArtifactDamaged, StoreUnavailable.
        """
        view = await self.find(key)
        if not view.artifact:
            raise RunStateConflict(f"run {key} has left no artifact: it is {view.state}")
        folder = self._home / _DOWNLOADS / uuid.uuid4().hex
        await asyncio.to_thread(self._artifacts.fetch, view.artifact, folder)
        return view, folder

    def discard(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    def _all(self) -> Sequence[RunView]:
        """The newest first."""
        self._look()
        over = {**self._unrecorded, **self._ended, **self._open}
        if not over:
            return self._index.newest_first()
        kept = [view for view in self._index.newest_first() if view.run not in over]
        return sorted([*kept, *over.values()], key=lambda view: view.cursor, reverse=True)

    def _before(self, view: RunView) -> RunView:
        """A run that is over, as it was before: its reason comes with its state, once the record has been read."""
        known = self._ended.get(view.run) or self._open.get(view.run)
        return known or msgspec.structs.replace(view, state=RunState.EVALUATING)

    def _look(self) -> None:
        """At what the trainer says. For the loop's own thread."""
        told = [view for view in self._control.open() if not self._is_over(view)]
        now = {view.run: self.files.with_progress(view) for view in told if not view.state.is_terminal}
        self._ended |= {view.run: self._before(view) for view in told if view.state.is_terminal}
        self._ended |= {key: view for key, view in self._open.items() if key not in now}
        self._ended = {key: view for key, view in self._ended.items() if key not in now}
        self._unrecorded = {key: view for key, view in self._unrecorded.items() if key not in now}
        self._open = now

    def _is_over(self, view: RunView) -> bool:
        """Whether what the trainer says of it is behind what was read of its end; not of one that it tries again."""
        known = self._index.find(view.run)
        is_again = known is not None and known.ended_at is not None and view.queued_at > known.ended_at
        return self._index.is_over(view.run) and not is_again

    async def _catch_up(self, refresh: bool) -> None:
        """Read back what has ended. Raises StoreUnavailable."""
        if refresh:
            await self._refresh(of=self._refreshes)
        self._look()
        for key, view in list(self._ended.items()):
            await self._seen(view.model, key)

    async def _refresh(self, of: int) -> None:
        """Unless another has since the `of`th: all who wait for the first look share it."""
        async with self._refreshing:
            if self._refreshes == of:
                await asyncio.to_thread(self._index.refresh)
                self._refreshes += 1

    async def _closed(self, key: str) -> None:
        """Once the trainer is done with a run that is over. Raises RunStateConflict when that takes too long."""
        for _ in range(_LONGER_LOOKS):
            if not any(open_run.run == key for open_run in self._control.open()):
                return
            await asyncio.sleep(_SOON_S)
        raise RunStateConflict(f"run {key} can't be tried again yet: its process is still ending; ask again soon")

    async def _appeared(self, model: str, key: str, *, is_over: bool) -> RunView:
        """The run once the trainer has seen that it is open; `is_over`: unless it is over already."""
        for _ in range(_LOOKS):
            recorded = await asyncio.to_thread(self._index.reread, model, key)
            self._look()
            if key in self._open:
                return self._open[key]
            if is_over and recorded is not None:
                return recorded
            await asyncio.sleep(_SOON_S)
        return await self._seen(model, key)

    async def _seen(self, model: str, key: str) -> RunView:
        """The run as it is now, after something has happened to it."""
        self._look()
        recorded = await asyncio.to_thread(self._index.reread, model, key)
        if key in self._open:
            return self._open[key]
        view = self._ended.pop(key, None)
        if recorded is not None:
            return recorded
        if view is None:
            raise RunNotFound(f"there is no run {key}; GET runs lists them")
        self._unrecorded[key] = msgspec.structs.replace(view, state=RunState.SUPERSEDED, what="", message=_NOT_BEGUN)
        while len(self._unrecorded) > _MOST_REMEMBERED:
            del self._unrecorded[next(iter(self._unrecorded))]
        return self._unrecorded[key]
