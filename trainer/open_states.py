"""Where the runs that are not over stand."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from core.runs.states import RunState
from trainer.attempt.progress import Reached
from trainer.executor import Executor, ExecutorUnavailable
from trainer.plan import Recorded, Running, state_of
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.records.recorded_runs import RecordedRuns


@dataclass(frozen=True)
class OpenState:
    """A run that is not over."""

    run: RunFile
    state: RunState
    attempt: int
    """The one that runs or is judged, or is next."""
    reached: Reached | None
    """What its process says, or what it waits for."""


class OpenStates:
    """From what is written down of the runs, and from what runs. Methods block, and raise StoreUnavailable."""

    def __init__(self, open_runs: OpenRuns, recorded_runs: RecordedRuns, executor: Executor) -> None:
        self._open_runs = open_runs
        self._recorded_runs = recorded_runs
        self._executor = executor

    def all(self, wanted: Set[str], waiting_for: Mapping[str, str]) -> list[OpenState]:
        """`wanted`: keys of those that go on if nobody asked for them. `waiting_for`: by key, what keeps one from being
        begun."""
        try:
            running = self._executor.running()
        except ExecutorUnavailable as error:
            return [self._unknown(run, str(error), wanted) for run in self._open_runs.all.values()]
        found = []
        for key, run in self._open_runs.all.items():
            alive, what = running.get(key), waiting_for.get(key)
            recorded = self.recorded(run, alive)
            if alive is not None:
                reached = self._executor.reached(key, alive.attempt)
            else:
                reached = None if what is None else Reached(state=RunState.QUEUED, what=what)
            state = state_of(run.opened(key in wanted), alive, recorded, None if reached is None else reached.state)
            found.append(OpenState(run, state, _attempt(state, alive, recorded), reached))
        return found

    def recorded(self, run: RunFile, running: Running | None) -> Recorded:
        """What is written down of it. `running`: the attempt that lives, as it was seen before this is read."""
        begun = self._executor.begun(run.model, run.run)
        # There is hardly a record yet of one that goes on; one that has failed may have written its own.
        goes_on = running is not None and running.failure is None
        return self._recorded_runs.recorded(run.model, run.run, begun, goes_on=goes_on)

    def _unknown(self, run: RunFile, why: str, wanted: Set[str]) -> OpenState:
        """Nobody can say whether its attempt lives, if one was begun."""
        recorded = self.recorded(run, None)
        if recorded.begun > recorded.last:
            return OpenState(run, RunState.PENDING, recorded.begun, Reached(state=RunState.PENDING, what=why))
        state = state_of(run.opened(run.run in wanted), None, recorded)
        return OpenState(run, state, _attempt(state, None, recorded), Reached(state=state, what=why))


def _attempt(state: RunState, alive: Running | None, recorded: Recorded) -> int:
    """The one that runs or is judged, or the next."""
    if alive is not None:
        return alive.attempt
    return recorded.last if state is RunState.EVALUATING else recorded.last + 1
