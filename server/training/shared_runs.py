"""Runs that are not over, the same at all daemons with one database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from core.pause import Pause
from core.runs.states import RunState
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from trainer.open_states import OpenState
from trainer.records.open_runs import RunFile

if TYPE_CHECKING:
    from registry.tables.open_runs import OpenRunRow
    from registry.transaction import Transaction

log = logging.getLogger("pawl.trainer")

_LOOK_S = 2.0
"""Between two looks while nothing is heard; a run's steps are told as often."""

_Stage = tuple[RunState, int]
"""A run's state and attempt."""


@dataclass(frozen=True)
class _Told:
    """What the daemon that trains says."""

    states: Mapping[str, str] = field(default_factory=dict)
    """All runs that are not over, as JSON, by run key."""
    stages: Mapping[str, _Stage] = field(default_factory=dict)
    """What others hear of at once; of progress they read now and then."""
    over: Mapping[str, datetime] = field(default_factory=dict)
    """Of those that were asked for, such as have ended, and when they had been asked for when that was seen."""
    epoch: int = 0
    """Of the lease, as it was said."""


class SharedRuns:
    """A `Sharing`. `run` compares again and again, and soon after `hasten`."""

    def __init__(
        self, registry: Registry, epoch: Callable[[], int], is_ours: Callable[[Transaction, int], bool]
    ) -> None:
        """`epoch`: of the lease by which this daemon trains. `is_ours`: whether it is still held by this daemon in that
        epoch, as the transaction sees it."""
        self._registry = registry
        self._epoch = epoch
        self._is_ours = is_ours
        self._rows: dict[str, OpenRunRow] = {}
        """As they were read last."""
        self._told: _Told | None = None
        self._asked_at: Mapping[str, datetime] = {}
        """When the runs were asked for that were last taken up."""
        self._pause = Pause()

    def hasten(self) -> None:
        """Something was written."""
        self._pause.hasten()

    async def ask(self, run: RunFile) -> None:
        """Raises RegistryUnavailable."""
        state = OpenState(run, RunState.QUEUED, 1, None)
        row = await self._registry.perform(lambda transaction: transaction.open_runs.ask(run.run, _encoded(state)))
        self._rows[run.run] = row

    def asked(self) -> Sequence[RunFile]:
        self._asked_at = {row.run: row.asked_at for row in self._rows.values() if row.asked_at is not None}
        asked = [_decoded(self._rows[run]) for run in self._asked_at]
        return [state.run for state in asked if state is not None]

    def follow(self) -> Sequence[OpenState]:
        self._told = None
        return [state for row in self._rows.values() if (state := _decoded(row)) is not None]

    def tell(self, states: Sequence[OpenState], over: Collection[str]) -> None:
        ended = {key: self._asked_at[key] for key in over if key in self._asked_at}
        stages = {state.run.run: _stage(state) for state in states}
        is_news = bool(ended) or self._told is None or stages != self._told.stages
        self._told = _Told({state.run.run: _encoded(state) for state in states}, stages, ended, self._epoch())
        if is_news:
            self.hasten()

    async def run(self, changed: Callable[[], None]) -> None:
        """`changed` is called when another daemon has written something."""
        while True:
            try:
                found, left = await self._registry.perform(partial(_exchanged, self._told, self._is_ours))
                is_news = found != self._rows  # what is written here is none
                self._rows = left
                if is_news:
                    changed()
            except RegistryUnavailable as error:  # as others have said
                log.debug("runs of other daemons can't be read: %s", error)
            except Exception:
                log.exception("a failure of Pawl's own while reading runs of other daemons; it is tried again")
            await self._pause.wait(_LOOK_S)


_Rows = dict[str, "OpenRunRow"]


def _exchanged(
    told: _Told | None, is_ours: Callable[[Transaction, int], bool], transaction: Transaction
) -> tuple[_Rows, _Rows]:
    """What there was, and what there is once what is told is written: nothing, if another has had the lease since."""
    rows = {row.run: row for row in transaction.open_runs.all()}
    if told is None or not is_ours(transaction, told.epoch):
        return rows, rows
    over = [row for row in rows.values() if row.run not in told.states and _is_over(row, told)]
    changed = {run: state for run, state in told.states.items() if run not in rows or rows[run].state != state}
    if not over and not changed:
        return rows, rows
    transaction.open_runs.forget(over)
    is_urgent = any(_stage_in(rows.get(run)) != told.stages[run] for run in changed)
    transaction.open_runs.tell(changed, is_urgent=is_urgent)
    return rows, {row.run: row for row in transaction.open_runs.all()}


def _stage_in(row: OpenRunRow | None) -> _Stage | None:
    """As others know it."""
    state = None if row is None else _decoded(row)
    return None if state is None else _stage(state)


def _stage(state: OpenState) -> _Stage:
    return state.state, state.attempt


def _is_over(row: OpenRunRow, told: _Told) -> bool:
    """What a person asked for is kept until it has ended, whoever has opened it."""
    return row.asked_at is None or (row.run in told.over and told.over[row.run] == row.asked_at)


def _encoded(state: OpenState) -> str:
    return msgspec.json.encode(state).decode()


def _decoded(row: OpenRunRow) -> OpenState | None:
    """None: another edition of Pawl wrote it."""
    try:
        return msgspec.json.decode(row.state, type=OpenState)
    except msgspec.DecodeError:
        return None
