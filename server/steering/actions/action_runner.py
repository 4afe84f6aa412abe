"""Does what an action has written down, and says how it goes on until it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Set
from typing import Any

import msgspec

from core.errors import PawlError
from core.events import EventKind
from core.release import Choice, Served
from core.runs.states import CAME_TO_NOTHING
from core.task import spawn
from loader.controller.model_controller import ModelController
from loader.controller.on_demand import OnDemand
from loader.reconcile import Reconciler
from registry.errors import RegistryUnavailable
from registry.event_log import EventLog
from server.steering.actions.actions import Action, Actions, ActionState, about_release
from server.steering.actions.error_codes import code_of
from server.steering.actions.intents import Intent, NotToPin, NotToRollBack, ToPin, ToRollBack, ToTell
from server.steering.decisions.registry_follower import RegistryFollower
from server.steering.ledger.ledger import DeploymentLedger
from server.steering.outcomes import Outcome, OutcomeKind, Outcomes
from server.steering.version_labels import told, told_apart

log = logging.getLogger("pawl.steering")

_AGAIN_S = 2.0
"""Between two tries to take an intent back while the registry is away."""


class ActionRunner:
    """Each action is a task of its own. What can't be done is withdrawn: its intent is taken back."""

    def __init__(
        self,
        actions: Actions,
        reconciler: Reconciler,
        event_log: EventLog,
        follower: RegistryFollower,
        on_demand: OnDemand,
        ledger: DeploymentLedger,
    ) -> None:
        self._actions = actions
        self._reconciler = reconciler
        self._event_log = event_log
        self._follower = follower
        self._on_demand = on_demand
        self._ledger = ledger
        self._outcomes = Outcomes(reconciler)
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def go_on(self, action: Action, work: Coroutine[Any, Any, None]) -> Action:
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

    async def pinning(self, action: Action, intent: ToPin) -> None:
        outcome = await self._outcomes.until_live(intent.served, self._teller(action))
        if outcome.kind is OutcomeKind.LIVE:
            self._ledger.settled(action.model)
            self.done(action, f"pinned at {told(intent.served)}, which is live")
        elif outcome.failure is None:
            self._supersede(action, outcome)
        else:
            self._ledger.settled(action.model)
            back = NotToPin(action, pinned=intent, why=_why(outcome))
            await self._withdraw(back)
            self._fail_by(action, outcome, withdrawn=back.is_done)

    async def rolling_back(self, action: Action, intent: ToRollBack) -> None:
        outcome = await self._outcomes.until_live(intent.to, self._teller(action))
        if outcome.kind is OutcomeKind.LIVE:
            self._ledger.settled(action.model)
            live, to = told_apart(intent.live, intent.to)
            self.done(action, f"rolled back from {live} to {to}, which is live")
        elif outcome.failure is None:
            self._supersede(action, outcome)
        else:
            self._ledger.settled(action.model)
            back = NotToRollBack(action, rolled_back=intent, why=_why(outcome))
            await self._withdraw(back)
            self._fail_by(action, outcome, withdrawn=back.is_done)

    async def lifting(self, action: Action, lifted: str, about: Set[str] | None = None) -> None:
        """`lifted`: what was, in words. `about`: ids of the releases that it was for; None: whichever goes live."""
        try:
            await self.settling(action, f"{lifted}; ", about)
        finally:
            self._ledger.followed(action.model)

    async def settling(self, action: Action, done: str = "", about: Set[str] | None = None) -> None:
        """`done`: what has been done already, in words. What fails of a release that it is not about is no failure."""
        outcome = await self._outcomes.until_settled(action.model, self._teller(action))
        if outcome.failure is not None and (about is None or outcome.failure.key in about):
            self._fail_by(action, outcome, done=done)
        elif outcome.failure is not None:
            self.done(action, f"{done}{_told_failure(outcome)}")
        elif action.model not in self._reconciler.controllers:
            self.done(action, f"{done}{not_served(action.model)}")
        elif outcome.live is None:
            self.done(action, f"{done}nothing of {action.model} is to be served{self._why_untrained(action.model)}")
        else:
            said = f"{done}{told(outcome.live)} is live{self._why_untrained(action.model)}"
            self.done(about_release(self._actions.find(action.id) or action, outcome.live), said)

    def _why_untrained(self, model: str) -> str:
        """What keeps the head's from being live, where that is that it has no artifact."""
        controller = self._reconciler.controllers.get(model)
        wanted = None if controller is None else controller.wanted
        if wanted is None or wanted.choice is not Choice.UNTRAINED:
            return ""
        if wanted.run not in CAME_TO_NOTHING:
            head = wanted.head or wanted.version
            return f"; {head.label} has no artifact yet, and goes live once its run is accepted"
        return f"; the run of the head's is {wanted.run}: `pawl runs` names it, and `pawl runs retry` tries it again"

    async def loading(self, action: Action, name: str, served: Served) -> None:
        controllers = self._reconciler.controllers

        try:
            await self._on_demand.open(action.model, name, lambda: _live(controllers.get(action.model)))
        except PawlError as error:
            message = f"{told(served)} could not be loaded: {error}"
            await self._withdraw(ToTell(action, kind=EventKind.UNLOADED, message=message, served=served, by_us=True))
            self._fail(action, code_of(error), message, stage=getattr(error, "stage", ""))
        else:
            self.done(action, f"{told(served)} is loaded")

    async def unloading(self, action: Action, served: Served) -> None:
        await self._on_demand.stop(served.release)
        self.done(action, f"{told(served)} is no longer loaded")

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
            now = self._actions.find(action.id)
            if now is not None and not now.is_over:
                step, taken = controller.progress.step, controller.progress.seconds
                if (step, len(taken)) != (now.step, len(now.steps)) and (step or now.step):
                    self._actions.put(msgspec.structs.replace(now, step=step, steps=taken))

        return tell

    def done(self, action: Action, message: str) -> Action:
        return self._end(action, ActionState.DONE, message=message)

    def _supersede(self, action: Action, outcome: Outcome) -> None:
        now = "nothing" if outcome.live is None else told(outcome.live)
        message = f"something else was asked for before it was done; {now} is live"
        self._end(action, ActionState.SUPERSEDED, message=message)

    def _fail_by(self, action: Action, outcome: Outcome, *, withdrawn: bool = False, done: str = "") -> None:
        assert outcome.failure is not None
        message, stage = f"{done}{_told_failure(outcome)}", outcome.failure.error.stage
        self._fail(action, "release_failed", message, stage=stage, withdrawn=withdrawn)

    def _fail(self, action: Action, code: str, message: str, *, stage: str = "", withdrawn: bool = False) -> None:
        self._end(action, ActionState.FAILED, code=code, message=message, stage=stage, withdrawn=withdrawn)

    def _end(self, action: Action, state: ActionState, **more: object) -> Action:
        controller = self._reconciler.controllers.get(action.model)
        now = self._actions.find(action.id) or action
        taken = controller.progress.seconds if controller is not None and now.steps else now.steps
        about = {"version": action.version, "commit": action.commit, "run": action.run}
        return self._actions.put(msgspec.structs.replace(now, state=state, steps=taken, **about, **more))


def not_served(model: str) -> str:
    return f"the folder of {model} has gone, so nothing of it is served any more"


def _live(controller: ModelController | None) -> Any:
    return None if controller is None else controller.live


def _told_failure(outcome: Outcome) -> str:
    assert outcome.failure is not None
    keeps = "nothing is live" if outcome.live is None else f"{told(outcome.live)} stays live"
    return f"{outcome.failure.version.label} {_why(outcome)} ({keeps})"


def _why(outcome: Outcome) -> str:
    assert outcome.failure is not None
    return f"failed at {outcome.failure.error.stage}: {outcome.failure.error}"
