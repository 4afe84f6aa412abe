"""What people ask of runs: a run now, its end, another attempt, acceptance all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.errors import RunStateConflict
from core.runs.runs import RunResult
from core.runs.states import RunState
from trainer.demand.code_folders import CodeFolders
from trainer.demand.commits import Commits
from trainer.demand.demand import Demand
from trainer.open_states import OpenState
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns, RunFile
from trainer.records.recorded_runs import RecordedRuns, Retry
from trainer.results import cancelled_run
from trainer.run_controller import RunController


class Operations:
    """All block, and are to be called by the trainer's thread (`Trainer.perform`). They raise StoreUnavailable."""

    def __init__(
        self,
        demand: Demand,
        controller: RunController,
        recorded_runs: RecordedRuns,
        ended_runs: EndedRuns,
        open_runs: OpenRuns,
        code_folders: CodeFolders,
        commits: Commits,
        told: Callable[[RunResult], None],
        acts: Callable[[], bool],
        is_kept: Callable[[str], bool] = lambda artifact: True,
    ) -> None:
        """`told` gets what was accepted. `acts`: whether this daemon trains. `is_kept`: whether the store has the
        artifact; raises StoreUnavailable."""
        self._demand = demand
        self._controller = controller
        self._recorded_runs = recorded_runs
        self._ended_runs = ended_runs
        self._open_runs = open_runs
        self._code_folders = code_folders
        self._commits = commits
        self._told = told
        self._acts = acts
        self._is_kept = is_kept

    def start(self, model: str, params: dict[str, Any] | None, commit: str | None, by: str) -> tuple[RunFile, bool]:
        """The run, and whether it is a new one, which is to be opened. Raises NotTrainable, and what `Commits` does."""
        run = self._demand.run_of(self._commits.trainable(model, commit), by, params)
        if self._is_open(run.run) or self._ended_runs.is_over(model, run.run):
            return run, False
        return msgspec.structs.replace(run, asked=True), True

    def cancel(self, model: str, key: str, by: str, told: OpenState | None = None) -> None:
        """Its process is ended at the next look. `told`: how far the daemon that trains says it has come.

        Raises RunStateConflict.
        """
        recorded = self._recorded_runs.recorded(model, key)
        run = self._open_runs.all.get(key) or (None if told is None else told.run)
        attempts = recorded.last if told is None or told.state is RunState.QUEUED else told.attempt
        cancelled = cancelled_run(model, key, attempts, f"cancelled by {by}", run)
        written = self._recorded_runs.conclude(cancelled, recorded.retried_after)
        if written.state is not RunState.CANCELLED:
            raise RunStateConflict(f"run {key} has ended already: it is {written.state}")

    def retry(self, model: str, key: str, by: str) -> RunFile:
        """The run, which is to be opened. Raises RunStateConflict, and what `Commits` does."""
        recorded = self._recorded_runs.recorded(model, key)
        result = recorded.result or self._recorded_runs.last_result(model, key)
        if result is None or self._is_open(key):
            raise RunStateConflict(f"run {key} is not over; nothing is to retry")
        if result.state is RunState.SUCCEEDED and self._is_kept(result.artifact):
            raise RunStateConflict(f"run {key} is {result.state}; nothing is to retry")
        run = self._again(result)
        self._controller.reopen(model, key, recorded, Retry(by=by))
        return run

    def accept(self, model: str, key: str, by: str) -> None:
        """Raises RunStateConflict."""
        result = self._recorded_runs.recorded(model, key).result
        if result is None or result.state is not RunState.REJECTED or not result.artifact:
            raise RunStateConflict(
                f"run {key} is {'not over' if result is None else result.state}; only rejected ones are accepted"
            )
        accepted = msgspec.structs.replace(
            result,
            state=RunState.SUCCEEDED,
            reason=None,
            message=f"accepted by {by}; it was rejected: {result.message}",
            ended_at=datetime.now(UTC),
        )
        self._told(self._recorded_runs.accept(accepted))

    def _is_open(self, key: str) -> bool:
        """What was open here when another daemon took over may have ended there since."""
        return self._acts() and key in self._open_runs.all

    def _again(self, result: RunResult) -> RunFile:
        """The run as it was, with its code checked out."""
        trainable = self._commits.trainable(result.model, result.commit)
        self._code_folders.put(trainable.revision)
        train = msgspec.structs.replace(trainable.train, params=result.params) if result.own else trainable.train
        return RunFile(
            run=result.run,
            model=result.model,
            commit=result.commit,
            code_key=result.code_key,
            train=train,
            queued_at=datetime.now(UTC).timestamp(),
            dataset_fingerprint=result.dataset_fingerprint,
            validation_fingerprint=result.validation_fingerprint,
            started_by=result.started_by,
            asked=True,
            own=result.own,
        )
