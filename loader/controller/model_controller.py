"""Keeps one model as it is wanted: brings new releases up beside the old, swaps, and remembers what failed."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from core.errors import ReleaseFailed, failure_of_ours
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
    is_overruled,
    is_superseded,
    tried_for_ever,
)
from loader.controller.event_texts import EventTexts
from loader.controller.model_route import Missed, ModelRoute
from loader.controller.pool_starter import PoolStarter
from loader.controller.progress import Progress
from loader.controller.routes import Live, Routes
from loader.controller.superseding import unless_superseded
from loader.workers.pool import Pool
from loader.workers.report import Report

log = logging.getLogger("pawl.loader")

SUPERSEDED_AFTER_S = 10.0
"""A start that takes longer is given up when something newer is wanted. A quicker one is let finish, so that
pushes coming faster than starts still go live."""
BRING_BACK_S = 10.0
"""Between tries to bring back what answered before a release that failed."""


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
        self.progress = Progress(model, on_progress)
        """Of the release on its way."""
        self.failure: Failure | None = None
        self._wanted: Wanted | None = None
        self._was_live: set[str] = set()
        self._withheld: str | None = None
        """Why nothing is served although nothing failed, while that is so."""
        self._start_pool = start_pool
        self._routes = routes
        self._route = ModelRoute(model, routes)
        self._event_texts = EventTexts(model, record)
        self._on_outcome = on_outcome
        self._superseded_after_s = superseded_after_s
        self._bring_back_s = bring_back_s
        self._changed = asyncio.Event()

    @property
    def live(self) -> Live | None:
        """What answers; None: nothing does."""
        return self._route.live

    @property
    def wanted(self) -> Wanted | None:
        return self._wanted

    @property
    def is_withheld(self) -> bool:
        """Whether it serves nothing, as is wanted, and its route says why."""
        return self._wanted is not None and self._withheld is not None and self._withheld == self._wanted.withheld

    def want(self, wanted: Wanted | None) -> None:
        """Set what is wanted; None: the folder has gone."""
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
            self.progress.expect("about to be tried again")
            self._changed.set()

    async def run(self) -> None:
        """Until the model's folder has gone."""
        while True:
            self._changed.clear()
            action = decide(self._state(), time.monotonic())
            if not isinstance(action, Attempt):
                self.progress.rest()
                self._forget_overcome()
            if isinstance(action, Retire):
                await self._retire()
                if self._wanted is None:
                    return
            else:
                await self._do(action)

    async def close(self, timeout_s: float) -> None:
        """End the live pool: the server stops."""
        await self._route.close(timeout_s)

    def _forget_overcome(self) -> None:
        """What failed is wanted no more, since what is live is."""
        wanted, live = None if self._wanted is None else self._wanted.release, self._live_release()
        is_live = live is not None and wanted is not None and live.id == wanted.id
        if self.failure is not None and is_live:
            self.failure = None
            self._on_outcome()

    def _live_release(self) -> Release | None:
        return None if self.live is None else self.live.pool.release

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
        is_missing_one = self._missed() is not None
        if is_missing_one:
            seconds = min(self._bring_back_s, seconds or self._bring_back_s)
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            if is_missing_one:
                await self._bring_back()

    async def _attempt(self, wanted: Wanted) -> None:
        release, began = wanted.release, time.monotonic()
        assert release is not None
        self._withheld = None
        if self.live is None and self.failure is None:
            await self._route.explain("it is being loaded")
        try:
            pool = await unless_superseded(
                self._start(release, wanted.version),
                f"start of {self.model}",
                self._changed,
                partial(self._is_superseded, release),
                self._superseded_after_s,
            )
            if pool is not None and is_overruled(release, self._wanted, self._live_release()):
                await self._route.give_up(pool)
            elif pool is not None:
                self.failure = None
                live, took_s = Live(wanted.version, pool, release.run), time.monotonic() - began
                await self._swap(live, took_s, actor_of(wanted, self._was_live))
        except ReleaseFailed as error:
            await self._fall_back(wanted, error)
        except Exception as error:
            log.exception("%s: a failure of Pawl's own while starting a release", self.model)
            await self._fall_back(wanted, failure_of_ours(error))
        finally:
            self.progress.end()

    def _is_superseded(self, release: Release) -> bool:
        missed = self._route.missed
        is_back = self.live is None and release.id in self._was_live and (missed is None or missed.release == release)
        return is_superseded(release, self._wanted, is_back=is_back)

    def _missed(self) -> Missed | None:
        """What is to come back; None: something answers, or that is just what is wanted."""
        missed, wanted = self._route.missed, None if self._wanted is None else self._wanted.release
        return missed if missed is not None and self.live is None and missed.release != wanted else None

    async def _start(self, release: Release, version: Version) -> Pool:
        self.progress.begin(release.id)
        return await self._start_pool(
            release,
            version=version.label,
            make_room=lambda: self._route.make_room(release),
            progress=self.progress.tell,
            changed=self._routes.refresh,
            report=lambda report: self._report(report, release),
        )

    async def _fall_back(self, wanted: Wanted, error: ReleaseFailed) -> None:
        await self._bring_back()
        await self._fail(wanted, error)

    async def _bring_back(self) -> None:
        """What answered before is live again."""
        missed = self._missed()
        if missed is None:
            return
        try:
            pool = await self._start(missed.release, missed.version)
            await self._swap(Live(missed.version, pool, missed.run), 0.0, None)
        except ReleaseFailed as error:
            log.error("%s: the release before could not be brought back: %s", self.model, error)
        except Exception:
            log.exception("%s: a failure of Pawl's own while bringing back the release before", self.model)
        finally:
            self.progress.end()

    async def _swap(self, live: Live, took_s: float, actor: Actor | None) -> None:
        self.progress.swap()
        await self._route.show(live)
        self.progress.pause()
        self._was_live.add(live.pool.release.id)
        self._event_texts.live(live, took_s, actor)
        self._on_outcome()

    async def _fail(self, wanted: Wanted, error: ReleaseFailed) -> None:
        self.progress.pause()
        key = failure_key(wanted)
        tries = self.failure.tries + 1 if self.failure is not None and self.failure.key == key else 1
        self._withheld = None
        self.failure = Failure(key, error, tries, time.monotonic(), key in self._was_live, wanted.version)
        self._event_texts.failed(self.failure, self.live, actor_of(wanted, self._was_live))
        if self.live is None:
            if self.failure.was_live and wanted.release is not None:
                self._route.miss(wanted.release, wanted.version)
            await self._route.explain(f"its release failed at {error.stage}; the log and the admin API say why")
        self._on_outcome()

    async def _rename(self, version: Version, run: str | None) -> None:
        await self._route.rename(version, run)
        self.failure = None
        self._event_texts.renamed(version)
        self._on_outcome()

    async def _withhold(self, wanted: Wanted) -> None:
        """Serve nothing, and say why; it is looked at again when something else is wanted."""
        run = (wanted.run or "queued") if wanted.choice is Choice.UNTRAINED else None
        await self._route.take_down(wanted.withheld, run=run)
        self.failure, self._withheld = None, wanted.withheld
        self._on_outcome()

    async def _retire(self) -> None:
        await self._route.take_down(None)
        self.failure = None
        self._event_texts.removed()
        self._on_outcome()
        await self._route.drained()  # of what was live before, too

    def _report(self, report: Report, release: Release) -> None:
        self._event_texts.reported(report, self._version_of(release))

    def _version_of(self, release: Release) -> Version | None:
        """What it goes by, if it is live or on its way."""
        if self.live is not None and self.live.pool.release == release:
            return self.live.version
        wanted = self._wanted
        return wanted.version if wanted is not None and wanted.release == release else None
