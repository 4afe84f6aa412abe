"""The trainer, as the catalogue of runs asks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from core.errors import DatasetUnavailable, NotTrainable, ReleaseFailed, StoreUnavailable
from core.runs.states import RunState
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked, Doing
from trainer.open_states import OpenState
from trainer.operations import Operations
from trainer.trainer import Trainer

T = TypeVar("T")

_AT_WORK = frozenset({RunState.PENDING, RunState.RUNNING, RunState.EVALUATING})


class TrainerControl:
    """A `Control`. What is asked for is done by the trainer's own thread, between two of its looks."""

    def __init__(self, trainer: Trainer, operations: Operations) -> None:
        self._trainer = trainer
        self._operations = operations

    def open(self) -> list[RunView]:
        return list(map(_view, self._trainer.open))

    async def start(self, model: str, asked: Asked, by: str, doing: Doing) -> tuple[str, bool]:
        run, is_new = await self._perform(partial(self._operations.start, model, asked.params, asked.commit, by))
        if is_new := is_new and self._open_run(run.run) is None:
            async with doing(model, run.run):
                await _answered(self._trainer.begin(run))
        return run.run, is_new

    async def cancel(self, run: RunView, by: str) -> None:
        told = self._open_run(run.run)
        await self._perform(partial(self._operations.cancel, run.model, run.run, by, told))

    async def retry(self, run: RunView, by: str) -> None:
        again = await self._perform(partial(self._operations.retry, run.model, run.run, by))
        await _answered(self._trainer.begin(again))

    async def accept(self, run: RunView, by: str) -> None:
        await self._perform(partial(self._operations.accept, run.model, run.run, by))

    def _open_run(self, key: str) -> OpenState | None:
        """As it was seen last, at whichever daemon."""
        return next((one for one in self._trainer.open if one.run.run == key), None)

    async def _perform(self, work: Callable[[], T]) -> T:
        return await _answered(self._trainer.perform(work))


async def _answered(doing: Awaitable[T]) -> T:
    """With errors that the API knows."""
    try:
        return await doing
    except ReleaseFailed as error:
        raise NotTrainable(str(error)) from error
    except DatasetUnavailable as error:
        raise StoreUnavailable(str(error)) from error
    except OSError as error:
        raise StoreUnavailable(f"{error.filename}: {error.strerror}; see to the disk of DATA_DIR") from error


def _view(open_run: OpenState) -> RunView:
    run, reached = open_run.run, open_run.reached
    is_at_work = open_run.state in _AT_WORK or (reached is not None and open_run.state is not RunState.QUEUED)
    return RunView(
        run=run.run,
        model=run.model,
        state=open_run.state,
        commit=run.commit,
        attempts=open_run.attempt if is_at_work else open_run.attempt - 1,
        what=reached.what if reached else "",
        step=reached.step if reached else None,
        total=reached.total if reached else None,
        started_by=run.started_by,
        own=run.own,
        queued_at=datetime.fromtimestamp(run.queued_at, UTC),
    )
