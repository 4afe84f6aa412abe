"""The trainer, as the catalogue of runs asks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from core.errors import DatasetUnavailable, NotTrainable, ReleaseFailed, StoreUnavailable
from core.runs.states import RunState
from trainer.catalogue.views import RunView
from trainer.catalogue.wishes import Asked
from trainer.operations import Operations
from trainer.run_controller import OpenState
from trainer.trainer import Trainer

T = TypeVar("T")

_AT_WORK = frozenset({RunState.PENDING, RunState.RUNNING})


class TrainerControl:
    """A `Control`. What is asked for is done by the trainer's own thread, between two of its looks."""

    def __init__(self, trainer: Trainer, operations: Operations) -> None:
        self._trainer = trainer
        self._operations = operations

    def open(self) -> list[RunView]:
        return list(map(_view, self._trainer.open))

    async def start(self, model: str, asked: Asked) -> tuple[str, bool]:
        by = _person(asked.reason)
        return await self._perform(partial(self._operations.start, model, asked.params, asked.commit, by))

    async def cancel(self, run: RunView, reason: str) -> None:
        await self._perform(partial(self._operations.cancel, run.model, run.run, _person(reason)))

    async def retry(self, run: RunView, reason: str) -> None:
        await self._perform(partial(self._operations.retry, run.model, run.run, _person(reason)))

    async def accept(self, run: RunView, reason: str) -> None:
        await self._perform(partial(self._operations.accept, run.model, run.run, "a person", reason))

    async def _perform(self, work: Callable[[], T]) -> T:
        try:
            return await self._trainer.perform(work)
        except ReleaseFailed as error:
            raise NotTrainable(str(error)) from error
        except DatasetUnavailable as error:
            raise StoreUnavailable(str(error)) from error
        except OSError as error:
            raise StoreUnavailable(f"{error.filename}: {error.strerror}; see to the disk of DATA_DIR") from error


def _view(open_run: OpenState) -> RunView:
    run, reached = open_run.run, open_run.reached
    is_at_work = reached is not None or open_run.state in _AT_WORK
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
        queued_at=datetime.fromtimestamp(run.queued_at, UTC),
    )


def _person(reason: str) -> str:
    return f"a person ({reason})" if reason else "a person"
