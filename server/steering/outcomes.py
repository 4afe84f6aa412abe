"""What an action comes to: its release is live on every gateway, or there is a reason why it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from core.release import Served
from loader.controller.decision import Failure, failure_key
from loader.controller.model_controller import ModelController
from loader.reconcile import Reconciler


class OutcomeKind(Enum):
    LIVE = auto()
    """What was asked for is what is live."""
    FAILED = auto()
    OTHER = auto()
    """Something else is wanted by now."""
    NOTHING = auto()
    """Nothing is to be live, and nothing is."""


@dataclass(frozen=True)
class Outcome:
    kind: OutcomeKind
    live: Served | None = None
    failure: Failure | None = None


class Outcomes:
    """Waits for them. For the loop's own thread."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    async def until_live(self, goal: Served, tell: Callable[[ModelController], None]) -> Outcome:
        """Until that release is live, has failed, or is wanted no more. `tell` is called whenever something happens."""
        return await self._until(goal.release.model, tell, lambda controller: _reached(controller, goal))

    async def until_settled(self, model: str, tell: Callable[[ModelController], None]) -> Outcome:
        """Until what is wanted of the model, whatever that is by then, is live or has failed."""
        return await self._until(model, tell, _settled)

    async def _until(
        self,
        model: str,
        tell: Callable[[ModelController], None],
        look: Callable[[ModelController], Outcome | None],
    ) -> Outcome:
        while True:
            controller = self._reconciler.controllers.get(model)
            if controller is None:
                return Outcome(OutcomeKind.NOTHING)
            tell(controller)
            if (outcome := look(controller)) is not None:
                return outcome
            await self._reconciler.news.wait()


def live_of(controller: ModelController | None) -> Served | None:
    live = None if controller is None else controller.live
    return None if live is None else live.served


def _reached(controller: ModelController, goal: Served) -> Outcome | None:
    live, wanted = live_of(controller), controller.wanted
    if live is not None and (live.release.id, live.version) == (goal.release.id, goal.version):
        # while another is being shown, gateways may route to that one already
        return None if controller.progress.is_swapping else Outcome(OutcomeKind.LIVE, live)
    if wanted is None or wanted.release is None or wanted.release.id != goal.release.id:
        return Outcome(OutcomeKind.OTHER, live)
    return _failed(controller)


def _settled(controller: ModelController) -> Outcome | None:
    live, wanted = live_of(controller), controller.wanted
    if wanted is None:
        return None  # its folder has gone: wait until the model has
    if wanted.withheld is not None:
        return Outcome(OutcomeKind.NOTHING) if controller.is_withheld else None
    if live is not None and live == (wanted.release, wanted.version):
        return None if controller.progress.is_swapping else Outcome(OutcomeKind.LIVE, live)
    return _failed(controller)


def _failed(controller: ModelController) -> Outcome | None:
    failure, wanted = controller.failure, controller.wanted
    assert wanted is not None
    if failure is not None and failure.key == failure_key(wanted) and controller.progress.doing is None:
        return Outcome(OutcomeKind.FAILED, live_of(controller), failure)
    return None
