"""What people do to training runs: who asked is written down before it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from core.errors import PawlError
from core.events import Actor, Event, EventKind
from trainer.catalogue.catalogue import RunCatalogue
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked, Doing

Told = Callable[[Event], Awaitable[None]]


async def _nobody(_: Event) -> None: ...


@dataclass(frozen=True)
class _Wish:
    """How it is told of a run."""

    kind: EventKind
    asked: str
    refused: str


_START = _Wish(EventKind.RUN_QUEUED, "was asked for", "was not queued")
_CANCEL = _Wish(EventKind.RUN_ENDED, "was asked to be cancelled", "was not cancelled")
_RETRY = _Wish(EventKind.RUN_QUEUED, "was asked to be tried again", "is not tried again")
_ACCEPT = _Wish(EventKind.ACCEPTED, "was asked to be accepted", "was not accepted")


class RunActions:
    """Each raises what `RunCatalogue` does, and RegistryUnavailable. What is refused is not written down."""

    def __init__(
        self, runs: RunCatalogue, told: Told = _nobody, record: Callable[[Event], None] = lambda event: None
    ) -> None:
        """`told` writes down what is about to be done; it raises RegistryUnavailable. `record` writes down some time
        soon what could not be done after that."""
        self._runs = runs
        self._told = told
        self._record = record

    async def start(self, model: str, asked: Asked, by: Actor) -> tuple[RunView, bool]:
        """The run, and whether it is new."""
        return await self._runs.start(model, asked, _who(by, asked.reason), self._doing(_START, by, asked.reason))

    async def cancel(self, run: str, by: Actor, reason: str) -> RunView:
        return await self._runs.cancel(run, _who(by, reason), self._doing(_CANCEL, by, reason))

    async def retry(self, run: str, by: Actor, reason: str) -> RunView:
        return await self._runs.retry(run, _who(by, reason), self._doing(_RETRY, by, reason))

    async def accept(self, run: str, by: Actor, reason: str) -> RunView:
        return await self._runs.accept(run, _who(by, reason), self._doing(_ACCEPT, by, reason))

    def _doing(self, wish: _Wish, by: Actor, reason: str) -> Doing:
        return partial(self._written_down, wish, by, reason)

    @asynccontextmanager
    async def _written_down(self, wish: _Wish, by: Actor, reason: str, model: str, run: str) -> AsyncIterator[None]:
        event = partial(Event, kind=wish.kind, model=model, actor=by, reason=reason)
        await self._told(event(message=f"run {run} {wish.asked}"))
        try:
            yield
        except PawlError as error:
            self._record(event(message=f"run {run} {wish.refused}: {error}"))
            raise


def _who(by: Actor, reason: str) -> str:
    """For what is kept with the run."""
    who = f"{by.kind} {by.name}".strip()
    return f"{who} ({reason})" if reason else who
