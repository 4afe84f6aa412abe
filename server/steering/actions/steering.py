"""Pins, rollbacks and the like, up to where they are written down; `action_runner.py` does what was written."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec

from core.errors import PawlError, VersionNotFound
from core.events import Actor, EventKind
from core.release import Served
from core.steering import Cause, Rejection
from loader.controller.model_controller import ModelController
from loader.controller.on_demand import OnDemand
from loader.controller.release_names import goes_by
from loader.reconcile import ModelUnknown, Reconciler
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from server.steering.actions.action_runner import ActionRunner, not_served
from server.steering.actions.actions import Action, Actions, about_release, new_action
from server.steering.actions.errors import LiveChanged, NoEarlierRelease, VersionIsLive
from server.steering.actions.intents import Intent, ToAccept, ToPin, ToRollBack, ToTell, ToUnpin, pinned
from server.steering.decisions.registry_follower import RegistryFollower
from server.steering.decisions.rows import Rows
from server.steering.ledger.causes import Why
from server.steering.ledger.ledger import DeploymentLedger
from server.steering.outcomes import live_of
from server.steering.releases.release_finder import ReleaseFinder
from server.steering.releases.rollback_targets import RollbackTargets
from server.steering.version_labels import told


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
        self._runner = ActionRunner(self.actions, reconciler, event_log, follower, on_demand, ledger)
        self._locks = defaultdict[str, asyncio.Lock](asyncio.Lock)

    async def start(self) -> None:
        """Nothing: it begins with what is asked."""

    async def stop(self) -> None:
        await self._runner.stop()

    async def pin(self, model: str, name: str, asker: Asker) -> Action:
        """Hold the model's live version there, whatever is pushed."""
        async with self._locks[model]:
            controller = await self.seen(model, asker)
            served = await self._find(controller, name)
            intent = ToPin(about_release(new_action("pin", model, asker.actor, asker.reason), served), served=served)
            action = await self._commit(intent)
            self._ledger.asked(served, Why(Cause.PIN, asker.actor, asker.reason))
            controller.retry()
        return self._runner.go_on(action, self._runner.pinning(action, intent))

    async def unpin(self, model: str, asker: Asker) -> Action:
        """Follow the source again."""
        async with self._locks[model]:
            await self.seen(model, asker)
            then = not_served(model) if self._reconciler.has_gone(model) else ""
            asked = msgspec.structs.replace(new_action("unpin", model, asker.actor, asker.reason), message=then)
            intent = ToUnpin(asked, then=then)
            action = await self._commit_lift(intent, Why(Cause.UNPIN, asker.actor, asker.reason))
        if intent.lifted is None:
            self._ledger.followed(model)
            return self._runner.done(action, f"{model} was not pinned")
        return self._runner.go_on(action, self._runner.lifting(action, f"no longer pinned at {intent.lifted.version}"))

    async def roll_back(self, model: str, to: str | None, asker: Asker) -> Action:
        """Turn down what is live, and go back. Raises ModelPinned, NoEarlierRelease and VersionIsLive too."""
        async with self._locks[model]:
            controller = await self.seen(model, asker)
            rows = await self._follower.read()
            if (pin := rows.pins.get(model)) is not None:
                raise pinned(model, pin)
            live = live_of(controller)
            if live is None:
                raise NoEarlierRelease(f"nothing of {model} is live, so there is nothing to roll back from")
            target = await self._target(controller, live, to, rows)
            about = about_release(new_action("rollback", model, asker.actor, asker.reason), target)
            intent = ToRollBack(about, live=live, to=target)
            action = await self._commit(intent)
            self._ledger.asked(target, Why(Cause.ROLLBACK, asker.actor, asker.reason))
            controller.retry()
        return self._runner.go_on(action, self._runner.rolling_back(action, intent))

    async def accept(self, model: str, name: str, asker: Asker) -> Action:
        """Lift the rejection of a version: if it is the head's, it goes live."""
        async with self._locks[model]:
            controller = await self.seen(model, asker)
            rejected, served = await self._rejected(controller, name)
            about = about_release(new_action("accept", model, asker.actor, asker.reason), served)
            intent = ToAccept(about, rejected=rejected)
            action = await self._commit_lift(intent, Why(Cause.PUSH, asker.actor, asker.reason))
        if not rejected:
            self._ledger.followed(model)
            return self._runner.done(action, f"{name} of {model} was not rejected")
        lifted = f"{name} is no longer rejected"
        return self._runner.go_on(action, self._runner.lifting(action, lifted, {one.release for one in rejected}))

    async def retry(self, model: str, asker: Asker) -> Action:
        """Try again what failed, whatever it failed with."""
        async with self._locks[model]:
            controller = await self.seen(model, asker)
            failure = controller.failure
            of = "" if failure is None else f" of {failure.version.label}"
            intent = ToTell(
                new_action("retry", model, asker.actor, asker.reason),
                kind=EventKind.RETRIED,
                message=f"another try{of} was asked for",
            )
            action = await self._commit(intent)
            controller.retry()
        return self._runner.go_on(action, self._runner.settling(action))

    async def load(self, model: str, name: str, asker: Asker) -> Action:
        """Start a version on demand, as a request that names it does. Raises TooManyVersions too."""
        async with self._locks[model]:
            controller = await self.seen(model, asker)
            served = await self._find(controller, name)
            if not _is_live(controller, served):
                self._on_demand.check_room(served.release)
            about = about_release(new_action("load", model, asker.actor, asker.reason), served)
            message = f"{told(served)} is loaded on demand"
            action = await self._commit(ToTell(about, kind=EventKind.LOADED, message=message, served=served))
        return self._runner.go_on(action, self._runner.loading(action, name, served))

    async def unload(self, model: str, name: str, asker: Asker) -> Action:
        """Stop a version that was started on demand. Raises VersionIsLive."""
        async with self._locks[model]:
            controller = await self.seen(model, asker)
            served = await self._find(controller, name)
            if _is_live(controller, served):
                raise VersionIsLive(f"{told(served)} of {model} is live, and can't be unloaded")
            about = about_release(new_action("unload", model, asker.actor, asker.reason), served)
            if not self._on_demand.is_open(served.release):
                return self._runner.done(self.actions.put(about), f"{told(served)} of {model} was not loaded")
            message = f"{told(served)} is no longer loaded"
            action = await self._commit(ToTell(about, kind=EventKind.UNLOADED, message=message, served=served))
        return self._runner.go_on(action, self._runner.unloading(action, served))

    async def seen(self, model: str, asker: Asker) -> ModelController:
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
            raise VersionIsLive(f"{to[:80]} is what is live of {controller.model}; name another version")
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
        intent.kept = self._reconciler.known.decided
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


def _is_live(controller: ModelController, served: Served) -> bool:
    live = live_of(controller)
    return live is not None and live.release == served.release


def _is_called(one: Rejection, name: str, run: str | None) -> bool:
    if run is not None:
        return one.run == run
    return name == one.version or (len(name) >= 7 and one.commit.startswith(name))
