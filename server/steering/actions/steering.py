"""Pins, rollbacks and the like: the intent is written down first, then it is done, then it is answered."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from core.errors import PawlError, VersionNotFound
from core.events import Actor, EventKind
from core.release import Choice, Served
from core.runs.states import CAME_TO_NOTHING
from core.steering import Cause, Rejection
from core.task import spawn
from loader.controller.model_controller import ModelController
from loader.controller.on_demand import OnDemand
from loader.reconcile import ModelUnknown, Reconciler
from loader.stages import STEP_OF, steps
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from server.steering.actions.actions import Action, Actions, ActionState, new_action
from server.steering.actions.error_codes import code_of
from server.steering.actions.errors import ActionUnfit, LiveChanged, NoEarlierRelease
from server.steering.actions.intents import (
    Intent,
    NotToPin,
    NotToRollBack,
    ToAccept,
    ToPin,
    ToRollBack,
    ToTell,
    ToUnpin,
    pinned,
)
from server.steering.decisions.registry_follower import RegistryFollower
from server.steering.decisions.rows import Rows
from server.steering.ledger.causes import Why
from server.steering.ledger.ledger import DeploymentLedger
from server.steering.releases.release_finder import ReleaseFinder, goes_by
from server.steering.releases.rollback_targets import RollbackTargets
from server.steering.swap_watch import End, Ended, SwapWatch, live_of
from server.steering.version_labels import told

log = logging.getLogger("pawl.steering")

_AGAIN_S = 2.0
"""Between two tries to take an intent back while the registry is away."""


class Asker(msgspec.Struct, frozen=True):
    """Who asks, why, and which live version he saw."""

    actor: Actor
    reason: str = ""
    expect: str | None = None


class Steering:
    """Each action returns as soon as it is committed, or raises; `actions` tells how it goes on.

    They raise ModelUnknown, LiveChanged and RegistryUnavailable, and what names of versions raise.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        event_log: EventLog,
        follower: RegistryFollower,
        finder: ReleaseFinder,
        targets: RollbackTargets,
        on_demand: OnDemand,
        ledger: DeploymentLedger,
    ) -> None:
        self.actions = Actions()
        self._ledger = ledger
        self._reconciler = reconciler
        self._event_log = event_log
        self._follower = follower
        self._finder = finder
        self._targets = targets
        self._on_demand = on_demand
        self._watch = SwapWatch(reconciler)
        self._locks = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Nothing: it begins with what is asked."""

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def pin(self, model: str, name: str, asker: Asker) -> Action:
        """Hold the model's live version there, whatever is pushed."""
        async with self._locks[model]:
            controller = await self._seen(model, asker)
            served = await self._find(controller, name)
            intent = ToPin(_about(new_action("pin", model, asker.actor, asker.reason), served), served=served)
            action = await self._commit(intent)
            self._ledger.asked(served, Why(Cause.PIN, asker.actor, asker.reason))
            controller.retry()
        return self._go_on(action, self._pinning(action, intent))

    async def unpin(self, model: str, asker: Asker) -> Action:
        """Follow the source again."""
        async with self._locks[model]:
            await self._seen(model, asker)
            intent = ToUnpin(new_action("unpin", model, asker.actor, asker.reason))
            action = await self._commit_lift(intent, Why(Cause.UNPIN, asker.actor, asker.reason))
        if intent.lifted is None:
            self._ledger.followed(model)
            return self._done(action, f"{model} was not pinned")
        return self._go_on(action, self._lifting(action))

    async def roll_back(self, model: str, to: str | None, asker: Asker) -> Action:
        """Turn down what is live, and go back. Raises ModelPinned and NoEarlierRelease too."""
        async with self._locks[model]:
            controller = await self._seen(model, asker)
            rows = await self._follower.read()
            if (pin := rows.pins.get(model)) is not None:
                raise pinned(model, pin)
            live = live_of(controller)
            if live is None:
                raise NoEarlierRelease(f"nothing of {model} is live, so there is nothing to roll back from")
            target = await self._target(controller, live, to, rows)
            about = _about(new_action("rollback", model, asker.actor, asker.reason), target)
            intent = ToRollBack(about, live=live, to=target)
            action = await self._commit(intent)
            self._ledger.asked(target, Why(Cause.ROLLBACK, asker.actor, asker.reason))
            controller.retry()
        return self._go_on(action, self._rolling_back(action, intent))

    async def accept(self, model: str, name: str, asker: Asker) -> Action:
        """Lift the rejection of a version: if it is the head's, it goes live."""
        async with self._locks[model]:
            controller = await self._seen(model, asker)
            rejected, served = await self._rejected(controller, name)
            about = _about(new_action("accept", model, asker.actor, asker.reason), served)
            intent = ToAccept(about, rejected=rejected)
            action = await self._commit_lift(intent, Why(Cause.PUSH, asker.actor, asker.reason))
        if not rejected:
            self._ledger.followed(model)
            return self._done(action, f"{name} of {model} was not rejected")
        return self._go_on(action, self._lifting(action))

    async def retry(self, model: str, asker: Asker) -> Action:
        """Try again what failed, whatever it failed with."""
        async with self._locks[model]:
            controller = await self._seen(model, asker)
            failure = controller.failure
            of = "" if failure is None else f" of {failure.version.label}"
            intent = ToTell(
                new_action("retry", model, asker.actor, asker.reason),
                kind=EventKind.RETRIED,
                message=f"another try{of} was asked for",
            )
            action = await self._commit(intent)
            controller.retry()
        return self._go_on(action, self._settling(action))

    async def load(self, model: str, name: str, asker: Asker) -> Action:
        """Start a version on demand, as a request that names it does."""
        async with self._locks[model]:
            controller = await self._seen(model, asker)
            served = await self._find(controller, name)
            about = _about(new_action("load", model, asker.actor, asker.reason), served)
            message = f"{told(served)} is loaded on demand"
            action = await self._commit(ToTell(about, kind=EventKind.LOADED, message=message, served=served))
        return self._go_on(action, self._loading(action, name, served))

    async def unload(self, model: str, name: str, asker: Asker) -> Action:
        """Stop a version that was started on demand. Raises ActionUnfit for what is live."""
        async with self._locks[model]:
            controller = await self._seen(model, asker)
            served = await self._find(controller, name)
            live = live_of(controller)
            if live is not None and live.release == served.release:
                raise ActionUnfit(f"{told(served)} of {model} is live, and can't be unloaded", "version")
            about = _about(new_action("unload", model, asker.actor, asker.reason), served)
            if not self._on_demand.is_open(served.release):
                return self._done(self.actions.put(about), f"{told(served)} of {model} was not loaded")
            message = f"{told(served)} is no longer loaded"
            action = await self._commit(ToTell(about, kind=EventKind.UNLOADED, message=message, served=served))
        return self._go_on(action, self._unloading(action, served))

    # Before the commit

    async def _seen(self, model: str, asker: Asker) -> ModelController:
        """The model, if what is live of it is what the caller saw."""
        controller = self._reconciler.controllers.get(model)
        if controller is None:
            raise ModelUnknown(f"no model {model[:100]!r} is followed")
        if asker.expect is not None:
            live = live_of(controller)
            if live is None or not await self._is_meant(controller, live, asker.expect):
                now = "nothing" if live is None else told(live)
                raise LiveChanged(
                    f"{now} is live of {model} now, and not {asker.expect[:80]}; look again before you act",
                    None if live is None else live.version.label,
                )
        return controller

    async def _is_meant(self, controller: ModelController, live: Served, name: str) -> bool:
        """Names are compared by the releases that they stand for."""
        try:
            return (await self._find(controller, name)).release == live.release
        except VersionNotFound:
            return False
        except PawlError:
            return goes_by(live, name)

    async def _find(self, controller: ModelController, name: str) -> Served:
        return await asyncio.to_thread(self._finder.find, controller.model, name, live_of(controller))

    async def _target(self, controller: ModelController, live: Served, to: str | None, rows: Rows) -> Served:
        if to is None:
            found = await self._targets.newest(live, {one.release for one in rows.rejected(controller.model)})
            if found is None:
                raise NoEarlierRelease(
                    f"nothing else of {controller.model} was live before {told(live)} and is not rejected; name a "
                    "version to go to with `to`"
                )
            return found
        target = await self._find(controller, to)
        if target.release == live.release:
            raise ActionUnfit(f"{to[:80]} is what is live of {controller.model}; name another version", "to")
        return target

    async def _rejected(self, controller: ModelController, name: str) -> tuple[tuple[Rejection, ...], Served | None]:
        """What was rejected under that name, and the release that it stands for."""
        rows = (await self._follower.read()).rejected(controller.model)
        run = name.removeprefix("run-") if name.startswith("run-") else None
        named = [one for one in rows if _is_called(one, name, run)]
        if named:
            return tuple(named), None
        served = await self._find(controller, name)
        return tuple(one for one in rows if one.release == served.release.id), served

    async def _commit(self, intent: Intent) -> Action:
        """Written down, and decided from now on; raises what the intent does."""
        intent.kept = self._reconciler.decided
        try:
            await self._event_log.commit(intent.act)
        except RegistryUnavailable:
            self._follower.hasten()  # it may have arrived all the same
            raise
        action = self.actions.put(intent.action)
        await self._follower.take(intent.rows)
        return action

    async def _commit_lift(self, intent: Intent, why: Why) -> Action:
        """The ledger has to know before anything goes live."""
        self._ledger.lifted(intent.action.model, why)
        try:
            return await self._commit(intent)
        except BaseException:
            self._ledger.followed(intent.action.model)
            raise

    # After the commit

    def _go_on(self, action: Action, work: Coroutine[Any, Any, None]) -> Action:
        task = spawn(self._guarded(action, work), f"{action.action} of {action.model}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return action

    async def _guarded(self, action: Action, work: Coroutine[Any, Any, None]) -> None:
        try:
            await self._reconciler.written()
            await work
        except Exception as error:
            log.exception("%s: a failure of Pawl's own in the action %s", action.model, action.id)
            self._fail(action, "internal", f"Pawl itself failed: {error!r}"[:500])

    async def _pinning(self, action: Action, intent: ToPin) -> None:
        ended = await self._watch.until_live(intent.served, self._teller(action))
        if ended.end is End.LIVE:
            self._ledger.settled(action.model)
            self._done(action, f"pinned at {told(intent.served)}, which is live")
        elif ended.failure is None:
            self._supersede(action, ended)
        else:
            self._ledger.settled(action.model)
            back = NotToPin(action, pinned=intent, why=_why(ended))
            await self._withdraw(back)
            self._fail_by(action, ended, withdrawn=back.is_done)

    async def _rolling_back(self, action: Action, intent: ToRollBack) -> None:
        ended = await self._watch.until_live(intent.to, self._teller(action))
        if ended.end is End.LIVE:
            self._ledger.settled(action.model)
            self._done(action, f"rolled back from {told(intent.live)} to {told(intent.to)}, which is live")
        elif ended.failure is None:
            self._supersede(action, ended)
        else:
            self._ledger.settled(action.model)
            back = NotToRollBack(action, rolled_back=intent, why=_why(ended))
            await self._withdraw(back)
            self._fail_by(action, ended, withdrawn=back.is_done)

    async def _lifting(self, action: Action) -> None:
        try:
            await self._settling(action)
        finally:
            self._ledger.followed(action.model)

    async def _settling(self, action: Action) -> None:
        ended = await self._watch.until_settled(action.model, self._teller(action))
        if ended.end is End.FAILED:
            self._fail_by(action, ended)
        elif ended.live is None:
            self._done(action, f"nothing of {action.model} is to be served{self._why_untrained(action.model)}")
        else:
            said = f"{told(ended.live)} is live{self._why_untrained(action.model)}"
            self._done(_about(self.actions.find(action.id) or action, ended.live), said)

    def _why_untrained(self, model: str) -> str:
        """What keeps the head's from being live, where that is its training run."""
        controller = self._reconciler.controllers.get(model)
        wanted = None if controller is None else controller.wanted
        if wanted is None or wanted.choice is not Choice.UNTRAINED or wanted.run not in CAME_TO_NOTHING:
            return ""
        return f"; the run of the head's is {wanted.run}: `pawl runs` names it, and `pawl runs retry` tries it again"

    async def _loading(self, action: Action, name: str, served: Served) -> None:
        controllers = self._reconciler.controllers

        try:
            await self._on_demand.open(action.model, name, lambda: _live(controllers.get(action.model)))
        except PawlError as error:
            message = f"{told(served)} could not be loaded: {error}"
            await self._withdraw(ToTell(action, kind=EventKind.UNLOADED, message=message, served=served, by_us=True))
            self._fail(action, code_of(error), message, stage=getattr(error, "stage", ""))
        else:
            self._done(action, f"{told(served)} is loaded")

    async def _unloading(self, action: Action, served: Served) -> None:
        await self._on_demand.stop(served.release)
        self._done(action, f"{told(served)} is no longer loaded")

    async def _withdraw(self, intent: Intent) -> None:
        """However long the registry is away: the intent holds until it is taken back."""
        while True:
            try:
                await self._event_log.commit(intent.act)
                break
            except RegistryUnavailable as error:
                log.error("%s: what could not be done is to be taken back: %s", intent.action.model, error)
            await asyncio.sleep(_AGAIN_S)
        await self._follower.take(intent.rows)

    def _teller(self, action: Action) -> Callable[[ModelController], None]:
        def tell(controller: ModelController) -> None:
            now = self.actions.find(action.id)
            if now is not None and not now.is_over:
                step, taken = _way(controller)
                if (step, len(taken)) != (now.step, len(now.steps)) and (step or now.step):
                    self.actions.put(msgspec.structs.replace(now, step=step, steps=taken))

        return tell

    def _done(self, action: Action, message: str) -> Action:
        return self._end(action, ActionState.DONE, message=message)

    def _supersede(self, action: Action, ended: Ended) -> None:
        now = "nothing" if ended.live is None else told(ended.live)
        message = f"something else was asked for before it was done; {now} is live"
        self._end(action, ActionState.SUPERSEDED, message=message)

    def _fail_by(self, action: Action, ended: Ended, *, withdrawn: bool = False) -> None:
        assert ended.failure is not None
        keeps = "nothing is live" if ended.live is None else f"{told(ended.live)} stays live"
        message = f"{ended.failure.version.label} {_why(ended)} ({keeps})"
        self._fail(action, "release_failed", message, stage=ended.failure.error.stage, withdrawn=withdrawn)

    def _fail(self, action: Action, code: str, message: str, *, stage: str = "", withdrawn: bool = False) -> None:
        self._end(action, ActionState.FAILED, code=code, message=message, stage=stage, withdrawn=withdrawn)

    def _end(self, action: Action, state: ActionState, **more: object) -> Action:
        controller = self._reconciler.controllers.get(action.model)
        now = self.actions.find(action.id) or action
        taken = _way(controller)[1] if controller is not None and now.steps else now.steps
        about = {"version": action.version, "commit": action.commit, "run": action.run}
        return self.actions.put(msgspec.structs.replace(now, state=state, steps=taken, **about, **more))


def _about(action: Action, served: Served | None) -> Action:
    if served is None:
        return action
    release, version = served
    return msgspec.structs.replace(action, version=version.label, commit=version.commit, run=release.run or "")


def _is_called(one: Rejection, name: str, run: str | None) -> bool:
    if run is not None:
        return one.run == run
    return name == one.version or (len(name) >= 7 and one.commit.startswith(name))


def _live(controller: ModelController | None) -> Any:
    return None if controller is None else controller.live


def _why(ended: Ended) -> str:
    assert ended.failure is not None
    return f"failed at {ended.failure.error.stage}: {ended.failure.error}"


def _way(controller: ModelController) -> tuple[str | None, dict[str, float]]:
    """The step of the release on its way, and the seconds of each."""
    if controller.clock is None:
        return None, {}
    clock = controller.clock[1]
    return None if clock.stage is None else STEP_OF[clock.stage], steps(clock.seconds())
