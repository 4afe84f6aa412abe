"""What somebody asked for, while it is done and after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

import msgspec

from core.broadcast import Broadcast
from core.events import Actor
from core.release import Served

_MOST = 1000
"""That are over."""


class ActionState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """Somebody asked for something else before it was done."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody asked for."""

    id: str
    action: str
    """pin, unpin, rollback, accept, retry, load, unload, upload or delete."""
    model: str
    state: ActionState = ActionState.RUNNING
    version: str = ""
    """That it is about: for a rollback, the one that it goes back to."""
    commit: str = ""
    run: str = ""
    message: str = ""
    step: str | None = None
    """What is being done for the release on its way."""
    steps: Mapping[str, float] = {}
    """The seconds of each step so far."""
    reason: str = ""
    actor: Actor | None = None
    at: datetime
    ended_at: datetime | None = None
    code: str = ""
    """Of the error that it failed with."""
    stage: str = ""
    """At which the release failed."""
    withdrawn: bool = False
    """Whether the intent was taken back since it could not be done."""

    @property
    def is_over(self) -> bool:
        return self.state is not ActionState.RUNNING


def new_action(action: str, model: str, actor: Actor, reason: str) -> Action:
    return Action(id=uuid4().hex[:16], action=action, model=model, actor=actor, reason=reason, at=datetime.now(UTC))


class Actions:
    """Those that go on, and the last ones that are over, in memory. For the loop's own thread."""

    def __init__(self, most: int = _MOST) -> None:
        """`most`: that are over."""
        self._most = most
        self._all: dict[str, Action] = {}
        self._news = Broadcast()

    def put(self, action: Action) -> Action:
        """The action as it stands now."""
        if action.is_over and action.ended_at is None:
            action = msgspec.structs.replace(action, ended_at=datetime.now(UTC), step=None)
        self._all.pop(action.id, None)  # what ended last is last
        self._all[action.id] = action
        over = [one.id for one in self._all.values() if one.is_over]
        for id in over[: -self._most]:
            del self._all[id]
        self._news.send()
        return action

    def find(self, id: str) -> Action | None:
        return self._all.get(id)

    async def over(self, id: str) -> Action:
        """The action, once it is over."""
        while not (action := self._all[id]).is_over:
            await self._news.wait()
        return action

    async def follow(self, id: str) -> AsyncIterator[Action]:
        """The action, and again whenever it has come further, until it is over."""
        told: Action | None = None
        while told is None or not told.is_over:
            action = self._all.get(id, told)
            if action is None:
                return
            if action != told:
                told = action
                yield action
            else:
                await self._news.wait()


def about_release(action: Action, served: Served | None) -> Action:
    """The action, once it is known which release it is about."""
    if served is None:
        return action
    release, version = served
    return msgspec.structs.replace(action, version=version.label, commit=version.commit, run=release.run or "")
