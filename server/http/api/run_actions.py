"""What people do to training runs: who asked is written down before it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from core.events import Actor, Event, EventKind
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked

Told = Callable[[Event], Awaitable[None]]


async def _nobody(_: Event) -> None: ...


class RunActions:
    """Each raises what `RunCatalogue` does, and RegistryUnavailable."""

    def __init__(self, runs: RunCatalogue, told: Told = _nobody) -> None:
        """`told` writes an event down; it raises RegistryUnavailable."""
        self._runs = runs
        self._told = told

    async def start(self, model: str, asked: Asked, by: Actor) -> tuple[RunView, bool]:
        """The run, and whether it is new."""
        await self._tell(EventKind.RUN_QUEUED, "a run was asked for", model, by, asked.reason)
        return await self._runs.start(model, asked, _who(by, asked.reason))

    async def cancel(self, run: str, by: Actor, reason: str) -> RunView:
        told = partial(self._tell_of, EventKind.RUN_ENDED, "was asked to be cancelled", by, reason)
        return await self._runs.cancel(run, _who(by, reason), told)

    async def retry(self, run: str, by: Actor, reason: str) -> RunView:
        told = partial(self._tell_of, EventKind.RUN_QUEUED, "was asked to be tried again", by, reason)
        return await self._runs.retry(run, _who(by, reason), told)

    async def accept(self, run: str, by: Actor, reason: str) -> RunView:
        told = partial(self._tell_of, EventKind.ACCEPTED, "was asked to be accepted", by, reason)
        return await self._runs.accept(run, _who(by, reason), told)

    async def _tell_of(self, kind: EventKind, what: str, by: Actor, reason: str, view: RunView) -> None:
        await self._tell(kind, f"run {view.run} {what}", view.model, by, reason)

    async def _tell(self, kind: EventKind, message: str, model: str, by: Actor, reason: str) -> None:
        await self._told(Event(kind=kind, message=message, model=model, actor=by, reason=reason))


def _who(by: Actor, reason: str) -> str:
    """For what is kept with the run."""
    who = f"{by.kind} {by.name}".strip()
    return f"{who} ({reason})" if reason else who
