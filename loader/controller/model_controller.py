"""Keeps one model as it is wanted: brings new releases up beside the old, swaps, and remembers what failed."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from core.errors import STAGES, ReleaseFailed, failure_of_ours
from core.events import Actor, Event
from core.release import Choice, Release, Version, Wanted
from loader.controller.decision import (
    Action,
    Attempt,
    Failure,
    Refuse,
    Rename,
    Retire,
    State,
    Wait,
    Withhold,
    actor_of,
    decide,
    failure_key,
    tried_for_ever,
)
from loader.controller.drains import Drains
from loader.controller.event_texts import EventTexts
from loader.controller.pool_starter import PoolStarter
from loader.controller.routes import Live, Routes
from loader.controller.superseding import unless_superseded
from loader.stages import StageClock
from loader.workers.pool import Pool
from loader.workers.report import Report

log = logging.getLogger("pawl.loader")

SUPERSEDED_AFTER_S = 10.0
"""A start that takes longer is given up when something newer is wanted. A quicker one is let finish, so that
pushes coming faster than starts still go live."""
BRING_BACK_S = 10.0
"""Between tries to bring back what made room for a release that failed."""


class ModelController:
    """One model's place. `wanted` is set from outside; `run` does what is needed until `close`."""

    def __init__(
        self,
        model: str,
        start_pool: PoolStarter,
        routes: Routes,
        record: Callable[[Event], None],
        on_outcome: Callable[[], None],
        superseded_after_s: float = SUPERSEDED_AFTER_S,
        bring_back_s: float = BRING_BACK_S,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_outcome` is called whenever a try has ended, and when the model has gone; `on_progress` at each step."""
        self.model = model
        self.stage: str | None = None
        """What is being done for a release on its way; None when none is."""
        self.clock: tuple[str, StageClock] | None = None
        """The release that was started last, by its id, and how long each of its stages took."""
        self.live: Live | None = None
        self.failure: Failure | None = None
        self._wanted: Wanted | None = None
        self._was_live: set[str] = set()
        self._withheld: str | None = None
        """Why nothing is served although nothing failed, while that is so."""
        self._made_room: Live | None = None
        """What was stopped for a release that is not live yet; it comes back if that one fails."""
        self._start_pool = start_pool
        self._routes = routes
        self._event_texts = EventTexts(model, record)
        self._on_outcome = on_outcome
        self._on_progress = on_progress
        self._superseded_after_s = superseded_after_s
        self._bring_back_s = bring_back_s
        self._changed = asyncio.Event()
        self._drains = Drains()

    @property
    def wanted(self) -> Wanted | None:
        return self._wanted

    @property
    def is_withheld(self) -> bool:
        """Whether it serves nothing, as is wanted, and its route says why."""
        return self._wanted is not None and self._withheld is not None and self._withheld == self._wanted.withheld

    def want(self, wanted: Wanted | None, *, was_live: bool = False) -> None:
        """Set what is wanted; None: the folder has gone. `was_live`: it was live before a restart."""
        if was_live and wanted is not None and wanted.release is not None:
            self._was_live.add(wanted.release.id)
        self._wanted = wanted
        self._changed.set()

    def remember(self, was_live: Iterable[str]) -> None:
        """Those releases were live before a restart."""
        self._was_live.update(was_live)

    def retry(self) -> None:
        """Try what failed again, whatever it was."""
        self.failure = None
        self._changed.set()

    def hasten(self) -> None:
        """Try now what is tried for as long as it is wanted: the machine may have by now what it lacked."""
        if self.failure is not None and tried_for_ever(self.failure):
            self.failure = replace(self.failure, at=-math.inf)
            self.stage = self.stage or "about to be tried again"
            self._changed.set()

    async def run(self) -> None:
        """Until the model's folder has gone."""
        while True:
            self._changed.clear()
            action = decide(self._state(), time.monotonic())
            if not isinstance(action, Attempt):
                self.stage = None
                self._forget_overcome()
            if isinstance(action, Retire):
                await self._retire()
                if self._wanted is None:
                    return
            else:
                await self._do(action)

    async def close(self, timeout_s: float) -> None:
        """End the live pool: the server stops."""
        if self.live is not None:
            await self.live.pool.stop(timeout_s)

    def _forget_overcome(self) -> None:
        """What failed is wanted no more, since what is live is."""
        wanted = None if self._wanted is None else self._wanted.release
        is_live = self.live is not None and wanted is not None and self.live.pool.release.id == wanted.id
        if self.failure is not None and is_live:
            self.failure = None
            self._on_outcome()

    def _state(self) -> State:
        if self.live is None:
            return State(self._wanted, None, self.failure, withheld=self._withheld)
        live = self.live.pool.release.id, self.live.version
        return State(self._wanted, live, self.failure, self.live.run)

    async def _do(self, action: Action) -> None:
        match action:
            case Attempt(wanted):
                await self._attempt(wanted)
            case Refuse(wanted, error):
                await self._fail(wanted, error)
            case Rename(version, run):
                await self._rename(version, run)
            case Withhold(wanted):
                await self._withhold(wanted)
            case Wait(seconds):
                await self._wait(seconds)

    async def _wait(self, seconds: float | None) -> None:
        """Until something changes or the time has passed."""
        misses_one = self._made_room is not None and self.live is None
        if misses_one:
            seconds = min(self._bring_back_s, seconds or self._bring_back_s)
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            if misses_one:
                await self._bring_back()

    async def _attempt(self, wanted: Wanted) -> None:
        assert wanted.release is not None
        began = time.monotonic()
        self._withheld = None
        if self.live is None and self.failure is None:
            await self._routes.hide(self.model, "it is being loaded")
        try:
            pool = await unless_superseded(
                self._start(wanted.release),
                f"start of {self.model}",
                self._changed,
                partial(self._is_superseded, wanted.release),
                self._superseded_after_s,
            )
            if pool is not None and self._is_overruled(wanted.release):
                await self._give_up(pool)
            elif pool is not None:
                self.failure = None
                live, took_s = Live(wanted.version, pool, wanted.release.run), time.monotonic() - began
                await self._swap(live, took_s, actor_of(wanted, self._was_live))
        except ReleaseFailed as error:
            await self._fall_back(wanted, error)
        except Exception as error:
            log.exception("%s: a failure of Pawl's own while starting a release", self.model)
            await self._fall_back(wanted, failure_of_ours(error))
        finally:
            self.stage = None
            self._turn_clock(None)
            self._on_progress()

    def _is_overruled(self, release: Release) -> bool:
        """Whether it must not go live, not even until the next one does: somebody chose another meanwhile, or what is
        wanted is what is live."""
        now = self._wanted
        if now is None or now.release is None or now.release.id == release.id:
            return False
        is_live = self.live is not None and self.live.pool.release.id == now.release.id
        return is_live or now.choice is not Choice.HEAD

    def _is_superseded(self, release: Release) -> bool:
        """What was live before a restart is started to its end: nobody knows whether what comes next will pass."""
        wanted = self._wanted
        is_back = self.live is None and self._made_room is None and release.id in self._was_live
        if is_back and wanted is not None and wanted.choice is Choice.HEAD:
            return False
        return wanted is None or wanted.release is None or wanted.release.id != release.id

    async def _start(self, release: Release) -> Pool:
        self.clock = release.id, StageClock()
        return await self._start_pool(
            release,
            make_room=lambda: self._make_room(release),
            progress=self._progress,
            changed=self._routes.refresh,
            report=lambda report: self._report(report, release),
        )

    def _progress(self, doing: str) -> None:
        """A stage, or a line about something that takes long."""
        self.stage = doing
        if doing in STAGES:
            self._turn_clock(doing)
        self._on_progress()
        log.log(logging.DEBUG if doing in STAGES else logging.INFO, "%s: %s", self.model, doing)

    def _turn_clock(self, stage: str | None) -> None:
        if self.clock is not None:
            self.clock[1].turn(stage)

    async def _make_room(self, release: Release) -> int:
        """Bytes needed beside what is live, which `serve.swap: replace` stops instead: the gap that it accepts."""
        live = self.live
        if live is None:
            return 0
        if release.manifest.serve.swap == "beside":
            return live.pool.peak_memory
        self._made_room, self.live = live, None
        await self._routes.hide(self.model, "it is being replaced by its next release")
        await asyncio.shield(self._drains.begin(live.pool))
        return 0

    async def _fall_back(self, wanted: Wanted, error: ReleaseFailed) -> None:
        await self._bring_back()
        await self._fail(wanted, error)

    async def _bring_back(self) -> None:
        """The release that made room is live again."""
        if self._made_room is None:
            return
        try:
            pool = await self._start(self._made_room.pool.release)
        except ReleaseFailed as error:
            log.error("%s: the release before could not be brought back: %s", self.model, error)
        except Exception:
            log.exception("%s: a failure of Pawl's own while bringing back the release before", self.model)
        else:
            await self._swap(replace(self._made_room, pool=pool), 0.0, None)

    async def _swap(self, live: Live, took_s: float, actor: Actor | None) -> None:
        self._turn_clock("swap")
        try:
            await self._routes.show(self.model, live)
        except Exception:
            await self._give_up(live.pool)
            raise
        self._turn_clock(None)
        self._was_live.add(live.pool.release.id)
        self._made_room = None
        old, self.live = self.live, live
        self._event_texts.live(live, took_s, actor)
        self._on_outcome()
        if old is not None:
            self._drains.begin(old.pool)

    async def _give_up(self, pool: Pool) -> None:
        """It does not go live. It may have been loaded by the name of its version before."""
        await self._routes.hide_pool(pool)
        self._drains.begin(pool)

    async def _fail(self, wanted: Wanted, error: ReleaseFailed) -> None:
        self._turn_clock(None)
        key = failure_key(wanted)
        tries = self.failure.tries + 1 if self.failure is not None and self.failure.key == key else 1
        self._withheld = None
        self.failure = Failure(key, error, tries, time.monotonic(), key in self._was_live, wanted.version)
        self._event_texts.failed(self.failure, self.live, actor_of(wanted, self._was_live))
        if self.live is None:
            await self._routes.hide(
                self.model, f"its release failed at {error.stage}; the log and the admin API say why"
            )
        self._on_outcome()

    async def _rename(self, version: Version, run: str | None) -> None:
        assert self.live is not None
        renamed = replace(self.live, version=version, run=run)
        await self._routes.show(self.model, renamed)
        self.live, self.failure = renamed, None
        self._event_texts.renamed(version)
        self._on_outcome()

    async def _withhold(self, wanted: Wanted) -> None:
        """Serve nothing, and say why; it is looked at again when something else is wanted."""
        run = (wanted.run or "queued") if wanted.choice is Choice.UNTRAINED else None
        await self._routes.hide(self.model, wanted.withheld, run=run)
        old, self.live, self._made_room, self.failure = self.live, None, None, None
        self._withheld = wanted.withheld
        self._on_outcome()
        if old is not None:
            self._drains.begin(old.pool)

    async def _retire(self) -> None:
        await self._routes.hide(self.model, None)
        self._event_texts.removed()
        old, self.live, self._made_room, self.failure = self.live, None, None, None
        self._on_outcome()
        if old is not None:
            self._drains.begin(old.pool)
        await self._drains.over()  # of what was live before, too

    def _report(self, report: Report, release: Release) -> None:
        self._event_texts.reported(report, self._version_of(release))

    def _version_of(self, release: Release) -> Version | None:
        """What it goes by, if it is live or on its way."""
        if self.live is not None and self.live.pool.release == release:
            return self.live.version
        wanted = self._wanted
        return wanted.version if wanted is not None and wanted.release == release else None
