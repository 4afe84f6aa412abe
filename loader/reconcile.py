"""The loop that compares what the source holds with what runs, and tells each model's controller what is wanted.

It is level-triggered: however often and by whatever it is woken, it looks at the present state, so a notice that is
lost or comes twice does no harm.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from core.broadcast import Broadcast
from core.decisions import Decisions
from core.errors import PawlError, SourceError
from core.events import Event
from core.release import Choice, Snapshot, Wanted
from core.task import from_any_thread
from loader.controller.controllers import Controllers
from loader.controller.live_recorder import LiveRecorder
from loader.controller.model_controller import ModelController
from loader.controller.pool_starter import PoolStarter
from loader.controller.routes import Routes
from loader.desire import NOTHING_DESIRED, desire, kept
from loader.known_models import KnownModels
from loader.known_source import KnownSource
from loader.looks import Looks
from loader.readiness import Readiness
from loader.releases.live_file import LiveFile
from loader.sources.source import Source
from loader.workers.pool import Pool

log = logging.getLogger("pawl.loader")


_ARTIFACTS_S = 10.0
"""For what the store says of artifacts at the start; later a model counts as untrained."""


class ModelUnknown(PawlError):
    """No model of that name is followed."""


class Reconciler:
    """Holds a `ModelController` for every model, and tells each what the source wants of it."""

    def __init__(
        self,
        source: Source,
        known: KnownModels,
        start_pool: PoolStarter,
        routes: Routes,
        live_file: LiveFile,
        record: Callable[[Event], None],
        decisions: Callable[[], Decisions] = Decisions,
        looked: Callable[[], None] = lambda: None,
        outcome: Callable[[ModelController], None] = lambda controller: None,
    ) -> None:
        """`known` is kept up to date here. `decisions`: what operators and the trainer decided so far; whoever changes
        that calls `reconsider`.

        `looked` may block: it is called after each look in its thread, before anything is decided. `outcome` is called
        when a model has gone live, failed or gone.
        """
        self.desired = NOTHING_DESIRED
        """What is to be served and trained."""
        self.known_source = KnownSource(source.where, record)
        self.outcome = asyncio.Event()
        """Set whenever a model has gone live, failed or gone. Its one waiter clears it."""
        self.news = Broadcast()
        """Sent with `outcome`, for any number of waiters."""
        self._source = source
        self._start_pool = start_pool
        self.known = known
        self._recorder = LiveRecorder(routes, live_file, known, lambda: (source.seen, source.forgotten))
        self._decisions = decisions
        self._when_looked = looked
        self._on_outcome = outcome
        self._record = record
        self._controllers = Controllers(self._make_controller, self._tell)
        self._readiness = Readiness(self.controllers)
        self._looks = Looks(self._look)
        self._thread = ThreadPoolExecutor(1, "look")

    @property
    def controllers(self) -> Mapping[str, ModelController]:
        """By model, as they come and go."""
        return self._controllers.by_model

    @property
    def ready(self) -> asyncio.Event:
        """Set once all that is to be served is, and never unset."""
        return self._readiness.ready

    def live_pools(self) -> list[Pool]:
        return [controller.live.pool for controller in self.controllers.values() if controller.live is not None]

    def has_gone(self, model: str) -> bool:
        """Whether its folder is known to have gone: what is still served of it is what a pin holds."""
        return bool(self.known_source.head) and model not in self.known.heads

    def followed(self) -> set[str] | None:
        """The models; None as long as nobody knows which were removed while we didn't run."""
        return set(self.controllers) if self.known_source.head else None

    async def written(self) -> None:
        """Until what decides over the models is on the disk, or that takes long."""
        await self._recorder.written()

    def wake(self) -> None:
        """Look at the source soon. For the loop's own thread."""
        self._looks.wake()

    def ask(self) -> None:
        """Look at the source soon, because somebody asked: then what the machine lacked is tried at once, too."""
        self._hasten()
        self.wake()

    async def look_now(self) -> None:
        """What `ask` does; return when what was there at the call has been seen."""
        self._hasten()
        await self._looks.next()

    def restore(self) -> None:
        """Start what was live when the server stopped, asking nobody."""
        last_live = self.known.last_live
        if last_live:
            self._readiness.begin(last_live)
        for model, served in last_live.items():
            controller = self._controllers.of(model)
            controller.remember(one.release.id for one in served)
            controller.want(Wanted(model, served[0].version, served[0].release))

    def reconsider(self) -> None:
        """Decide anew what is to be served, with what was seen of the source last. For the loop's own thread."""
        now, known = self._decisions(), self.known
        decided = now.over(known.decided)
        if replace(decided, runs=known.decided.runs) != known.decided:
            self._recorder.forget_versions()
        known.decided = decided
        self.desired = desire(known.heads, decided, known.last_live)
        for model, wanted in self.desired.models.items():
            self._controllers.of(model).want(wanted)
        if self.known_source.head:  # else it was not read since a restart, and nothing tells that a folder has gone
            for model in self.controllers.keys() - self.desired.models.keys():
                self.controllers[model].want(None)
        self._recorder.keep(known.heads, kept(decided, known.heads, known.last_live))
        if now.artifacts is not None:
            self._readiness.know_artifacts()
        self._readiness.check()

    def retry(self, model: str) -> None:
        """Raises ModelUnknown."""
        if model not in self.controllers:
            raise ModelUnknown(f"no model {model!r} is followed")
        self.controllers[model].retry()

    async def run(self) -> None:
        """Look whenever woken, for ever."""
        loop = asyncio.get_running_loop()
        try:
            self._source.start(from_any_thread(loop, self.wake))
        except Exception:
            log.exception("changes are noticed by the timer and the webhook alone")
        await self._looks.run()

    async def close(self, timeout_s: float) -> None:
        """Stop every model, each within the time."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._source.close()
        await self._controllers.stop()
        await self._recorder.close()
        await self._controllers.close(timeout_s)

    def _hasten(self) -> None:
        for controller in self.controllers.values():
            controller.hasten()

    async def _look(self) -> None:
        began = time.monotonic()
        try:
            snapshot = await asyncio.get_running_loop().run_in_executor(self._thread, self._look_at_source)
            self._accept(snapshot, time.monotonic() - began)
        except SourceError as error:
            self._lost(str(error))
        except Exception as error:
            log.exception("a failure of Pawl's own while looking at %s", self._source.where)
            self._lost(f"Pawl itself failed: {error!r}")

    def _look_at_source(self) -> Snapshot:
        snapshot = self._source.look()
        self._when_looked()
        return snapshot

    def _accept(self, snapshot: Snapshot, look_s: float) -> None:
        if self.known_source.saw(snapshot, look_s):
            self._recorder.forget_versions()
        if not self._readiness.is_begun:
            self._readiness.begin(snapshot.models)
            asyncio.get_running_loop().call_later(_ARTIFACTS_S, self._stop_waiting_for_artifacts)
        self.known.heads = snapshot.models
        self.reconsider()

    def _lost(self, problem: str) -> None:
        stays = "what is live stays live" if self.controllers else "nothing is live yet; it is tried again and again"
        self.known_source.lost(problem, stays)
        self.reconsider()

    def _make_controller(self, model: str) -> ModelController:
        return ModelController(
            model,
            self._start_pool,
            self._recorder,
            self._record,
            lambda: self._note_outcome(model),
            on_progress=from_any_thread(asyncio.get_running_loop(), self.news.send),
        )

    def _note_outcome(self, model: str) -> None:
        controller = self.controllers[model]
        self._on_outcome(controller)
        if controller.wanted is not None and controller.wanted.choice is Choice.REJECTED:
            # it has left what was turned down, or could not, and now the head's may be tried
            asyncio.get_running_loop().call_soon(self.reconsider)
        self._readiness.check()
        self._tell()

    def _tell(self) -> None:
        self.outcome.set()
        self.news.send()

    def _stop_waiting_for_artifacts(self) -> None:
        self._readiness.know_artifacts()
        self._readiness.check()
