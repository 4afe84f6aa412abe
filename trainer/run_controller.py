"""Makes what is trained follow what is wanted, however it was woken: it looks, plans, and acts.

What fails, because the store or the disk is away, is done at the next look: every step can be done twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from core.errors import PawlError, StoreUnavailable
from core.runs.runs import AttemptResult, Failure, RunResult, RunSpec
from core.runs.states import RunState
from trainer.executor import Executor, ExecutorUnavailable, NotBegun
from trainer.gates import Live
from trainer.open_states import OpenState, OpenStates
from trainer.plan import (
    Action,
    Close,
    Conclude,
    GiveUp,
    Judge,
    MarkLost,
    Recorded,
    Start,
    Stop,
    Supersede,
    plan,
)
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.records.recorded_runs import RecordedRuns, Retry
from trainer.results import failed_attempt, judged, result_of, to_judge

log = logging.getLogger("pawl.trainer")

_GONE = "what it left before is no longer kept"


@dataclass(frozen=True)
class Told:
    """Whom to tell what."""

    opened: Callable[[RunFile], None]
    """A run has been queued."""
    begun: Callable[[RunFile, int], None]
    attempted: Callable[[AttemptResult], None]
    """An attempt left no record of its own, and was recorded so."""
    superseded: Callable[[RunFile], None]
    gone: Callable[[RunResult], None]
    """What a run left that succeeded is no longer kept: it goes on with another attempt."""


class RunController:
    """`look` blocks, and is called by one thread at a time."""

    def __init__(
        self,
        open_runs: OpenRuns,
        recorded_runs: RecordedRuns,
        ended_runs: EndedRuns,
        executor: Executor,
        make_spec: Callable[[RunFile, int, str], RunSpec],
        live: Callable[[str], Live | None],
        told: Told,
        at_once: int = 1,
        now: Callable[[], float] = time.time,
        is_kept: Callable[[str], bool] = lambda artifact: True,
    ) -> None:
        """`make_spec(run, attempt, judge)`: `judge` is the artifact to be judged on the run's data, or empty. Raises
        NotBegun, PawlError or OSError. `live`: of a model, what is live. `is_kept`: whether the store has that
        artifact; raises StoreUnavailable."""
        self._open_runs = open_runs
        self._recorded_runs = recorded_runs
        self._executor = executor
        self._states = OpenStates(open_runs, recorded_runs, executor)
        self._make_spec = make_spec
        self._live = live
        self._told = told
        self._at_once = at_once
        self._now = now
        self._is_kept = is_kept
        self._ended_runs = ended_runs
        self._whole: set[str] = set()
        """Runs that the head wants, and whose artifacts were seen to be kept since it does, or that were trained again
        since, for they were not."""
        self._still: set[str] = set()
        """Open runs of which it was undecided at the last look whether the head wants them."""
        self._waiting_for: dict[str, str] = {}
        """By run, what kept the last look from doing what was to be done for it."""
        self._problems: set[str] = set()
        """What went wrong in the last look, and in this one: what is said of it is said once."""

    def look(
        self,
        wanted: Sequence[RunFile],
        may_act: Callable[[], bool] = lambda: True,
        is_undecided: Callable[[RunFile], bool] = lambda run: False,
    ) -> None:
        """Do what is to be done by now for the runs that the head wants, and for those that are open, as long as this
        daemon is the one that may. `is_undecided`: whether nobody can tell now that the head doesn't want an open run;
        then it goes on."""
        before, self._problems, self._waiting_for = self._problems, set(), {}
        try:
            self._open(wanted)
            self._still = {run.run for run in self._open_runs.all.values() if is_undecided(run)}
            self._act(self._plan({run.run for run in wanted} | self._still), may_act)
            self._ended_runs.ask_anew(wanted)
        except (StoreUnavailable, ExecutorUnavailable, OSError) as error:
            self._problems.add(str(error))
        for problem in sorted(self._problems - before):
            log.warning("training waits: %s", problem)

    def states(self, wanted: Set[str]) -> list[OpenState]:
        """The runs that are open, as the last look left them. Raises StoreUnavailable."""
        return self._states.all(wanted | self._still, self._waiting_for)

    def reopen(self, model: str, key: str, recorded: Recorded, retry: Retry) -> None:
        """It is over no more, and to be opened for another attempt. Raises StoreUnavailable."""
        if (result := recorded.result) is not None:
            if result.state is RunState.SUCCEEDED:
                self._told.gone(result)
            self._recorded_runs.retry(model, key, recorded.last, retry)

    def open(self, run: RunFile) -> None:
        """Raises OSError."""
        self._ended_runs.forget(run.model, run.run)
        self._open_runs.open(run)

    def _open(self, wanted: Sequence[RunFile]) -> None:
        self._whole &= {run.run for run in wanted}
        for run in wanted:
            if run.run in self._open_runs.all:
                self._open_runs.keep_up(run)
            elif not self._ended_runs.is_over(run.model, run.run):
                self._open_runs.open(run)
                self._told.opened(run)
            elif run.run not in self._whole:
                self._open_if_gone(run)

    def _open_if_gone(self, run: RunFile) -> None:
        """A revert wants what a run left once: it is trained again where that was removed meanwhile."""
        recorded = self._recorded_runs.recorded(run.model, run.run)
        result = recorded.result
        if result is None:
            self.open(run)
            self._told.opened(run)
        elif result.state is not RunState.SUCCEEDED or self._is_kept(result.artifact):
            self._whole.add(run.run)
        else:
            self._train_again(run, recorded)

    def _train_again(self, run: RunFile, recorded: Recorded) -> None:
        """Once: a store that loses files makes no loop."""
        again = msgspec.structs.replace(run, started_by=f"{run.started_by}: {_GONE}")
        self.reopen(run.model, run.run, recorded, Retry(by=run.started_by, why=_GONE))
        self.open(again)
        self._whole.add(run.run)
        self._told.opened(again)

    def _plan(self, wanted: set[str]) -> list[tuple[RunFile, Recorded, Action]]:
        self._executor.enforce()
        running = self._executor.running()  # before what is recorded: an attempt writes its record before it ends
        runs = dict(self._open_runs.all)
        recorded = {key: self._states.recorded(run, running.get(key)) for key, run in runs.items()}
        opened = [run.opened(key in wanted) for key, run in runs.items()]
        actions = plan(opened, running, recorded, self._at_once, self._now())
        return [(runs[action.key], recorded[action.key], action) for action in actions]

    def _act(self, actions: Sequence[tuple[RunFile, Recorded, Action]], may_act: Callable[[], bool]) -> None:
        for run, recorded, action in actions:
            if not may_act():
                return
            try:
                self._do(run, recorded, action)
            except (PawlError, OSError) as error:
                self._problems.add(f"{run.model}, run {run.run}: {error}")
                self._waiting_for[run.run] = str(error)

    def _do(self, run: RunFile, recorded: Recorded, action: Action) -> None:
        match action:
            case Start(_, attempt):
                self._start(run, attempt)
            case Stop(key, attempt, why):
                self._executor.stop(key, attempt, why)
            case Judge(_, attempt):
                self._settle(judged(run, recorded, attempt, self._live(run.model)), recorded)
            case Conclude(_, attempt, state):
                last = recorded.attempts[attempt]
                self._settle(result_of(run, recorded, attempt, state, last.reason, last.message, last.detail), recorded)
            case GiveUp(_, attempt, failure):
                self._record(run, attempt, failure)
            case MarkLost(key, attempt):
                self._record(run, attempt, self._executor.bury(run.model, key, attempt))
            case Supersede():
                self._told.superseded(run)
                self._close(run)
            case Close():
                assert recorded.result is not None
                self._ended_runs.note(recorded.result)
                self._recorded_runs.complete(recorded.result)
                self._close(run)

    def _start(self, run: RunFile, attempt: int) -> None:
        live = self._live(run.model)
        try:
            self._executor.begin(self._make_spec(run, attempt, to_judge(run, live)))
        except NotBegun as error:
            self._record(run, attempt, error.failure)
        else:
            self._told.begun(run, attempt)

    def _settle(self, result: RunResult, recorded: Recorded) -> None:
        self._ended_runs.note(self._recorded_runs.conclude(result, recorded.retried_after))

    def _record(self, run: RunFile, attempt: int, failure: Failure) -> None:
        """What the attempt can't write down itself."""
        result = failed_attempt(run, attempt, failure, datetime.fromtimestamp(self._now(), UTC))
        self._recorded_runs.record_attempt(result)
        self._told.attempted(result)

    def _close(self, run: RunFile) -> None:
        """The files go first: what is left of them after a crash goes with the next close."""
        self._executor.remove(run.run)
        self._open_runs.close(run.run)
        self._recorded_runs.forget(run.model, run.run)
