"""What a look at the source found, and what became of it, model by model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from core.release import Choice, Version, Wanted
from core.runs.states import CAME_TO_NOTHING
from loader.controller.decision import failure_key
from loader.controller.model_controller import ModelController
from loader.reconcile import Reconciler


class State(StrEnum):
    """What became of what is wanted of one model."""

    LIVE = "live"
    """It went live since the call."""
    FAILED = "failed"
    """What was live before, if anything, still is."""
    UNCHANGED = "unchanged"
    """It was live at the call already."""
    REMOVED = "removed"
    """Its folder has gone, and its route with it."""
    REJECTED = "rejected"
    """It was turned down; what was live before it still is."""
    TRAINING = "training"
    """It has no artifact yet, which is not waited for; what was live before still is."""
    PENDING = "pending"
    """It is on its way."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    state: State
    version: str
    """That the state is about: the one on its way, the one that failed, or else the one that is live."""
    message: str


class Synced(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of the webhook."""

    head: str
    models: dict[str, Outcome]
    problem: str | None = None
    """Why no models could be taken from the source."""
    left_out: Mapping[str, str] = {}
    """Folders that look like models and are not served, with the reason."""

    @property
    def is_over(self) -> bool:
        return all(outcome.state is not State.PENDING for outcome in self.models.values())


_WITHHELD = {
    Choice.REJECTED: (State.REJECTED, "was rejected"),
    Choice.UNTRAINED: (State.TRAINING, "has no artifact yet"),
}
Served = tuple[str, Version]
"""A release's id, and the version that it goes by."""


async def sync(reconciler: Reconciler, wait_s: float) -> tuple[Synced, bool]:
    """Look at the source, and wait at most so long for what comes of it; and whether everything has come."""
    before = {name: _served(controller) for name, controller in reconciler.controllers.items()}
    found = Synced(head=reconciler.known_source.head, models={})
    try:
        async with asyncio.timeout(wait_s):
            await reconciler.look_now()
            while not (found := _synced(reconciler, before)).is_over:
                await reconciler.news.wait()
    except TimeoutError:
        return found, False
    return found, True


def _synced(reconciler: Reconciler, before: Mapping[str, Served | None]) -> Synced:
    controllers = reconciler.controllers
    outcomes = {
        name: _outcome(controllers[name], before.get(name)) if name in controllers else _removed(before[name])
        for name in sorted(controllers.keys() | before.keys())
    }
    source = reconciler.known_source
    return Synced(head=source.head, models=outcomes, problem=source.problem, left_out=source.left_out)


def _outcome(controller: ModelController, before: Served | None) -> Outcome:
    wanted, live, failure = controller.wanted, _served(controller), controller.failure
    if wanted is None:
        # One that was never live has no route to be taken away; it is gone once its controller is.
        return _removed(before) if before is not None and live is None else _pending(controller, before)
    if wanted.choice in _WITHHELD:
        keeps = "nothing is live yet" if live is None else f"{live[1].label} stays live"
        state, says = _WITHHELD[wanted.choice]
        if wanted.choice is Choice.UNTRAINED and wanted.run in CAME_TO_NOTHING:
            state, says = State.FAILED, f"has no artifact: its run is {wanted.run}, and `pawl runs` says why"
        return _say(state, wanted.head or wanted.version, f"{says} ({keeps})")
    if live is not None and live == _asked(wanted):
        is_new = live != before
        says = _held(wanted) or ("is live" if is_new else "was live already")
        return _say(State.LIVE if is_new else State.UNCHANGED, live[1], says)
    if failure is not None and failure.key == failure_key(wanted) and controller.progress.doing is None:
        keeps = "nothing is live yet" if live is None else f"{live[1].label} stays live"
        return _say(State.FAILED, wanted.version, f"failed at {failure.error.stage}: {failure.error} ({keeps})")
    return _pending(controller, (wanted.version.label, wanted.version))


def _held(wanted: Wanted) -> str:
    """What a pin keeps from happening; empty where that is nothing."""
    if wanted.choice is not Choice.PINNED or wanted.head == wanted.version:
        return ""
    if wanted.head is None:
        return "is pinned: its folder has gone"
    return f"is pinned: {wanted.head.label} does not go live until it is unpinned"


def _pending(controller: ModelController, of: Served | None) -> Outcome:
    return Outcome(
        state=State.PENDING,
        version="" if of is None else of[1].label,
        message=controller.progress.doing or "about to be dealt with",
    )


def _removed(before: Served | None) -> Outcome:
    return Outcome(
        state=State.REMOVED, version="" if before is None else before[1].label, message="its folder has gone"
    )


def _say(state: State, version: Version, message: str) -> Outcome:
    return Outcome(state=state, version=version.label, message=f"{version.label} {message}")


def _served(controller: ModelController) -> Served | None:
    return None if controller.live is None else (controller.live.pool.release.id, controller.live.version)


def _asked(wanted: Wanted) -> Served | None:
    return None if wanted.release is None else (wanted.release.id, wanted.version)
