"""What is written down of runs and attempts, and which artifact is judged beside theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.runs.runs import AttemptResult, Failure, RunResult
from core.runs.states import Reason, RunState
from trainer.gates import Live, is_same_data, judge
from trainer.plan import Recorded
from trainer.records.open_runs import RunFile


def to_judge(run: RunFile, live: Live | None) -> str:
    """The artifact that is live, where its recorded scores will not do."""
    if live is None or run.train.over_live is None or run.train.validation is None:
        return ""
    data = AttemptResult(
        run=run.run,
        attempt=0,
        model=run.model,
        state=RunState.QUEUED,
        dataset_fingerprint=run.dataset_fingerprint,
        validation_fingerprint=run.validation_fingerprint,
    )
    return "" if is_same_data(data, live) else live.artifact


def judged(run: RunFile, recorded: Recorded, attempt: int, live: Live | None) -> RunResult:
    judgement = judge(run.train, recorded.attempts[attempt], live)
    return result_of(
        run, recorded, attempt, judgement.state, judgement.reason, judgement.message, compared=judgement.compared
    )


def failed_attempt(run: RunFile, attempt: int, failure: Failure, at: datetime) -> AttemptResult:
    """Of one that left no record of its own."""
    return AttemptResult(
        run=run.run,
        attempt=attempt,
        model=run.model,
        commit=run.commit,
        code_key=run.code_key,
        state=failure.state,
        reason=failure.reason,
        message=failure.message,
        detail=failure.detail,
        heals=failure.heals,
        started_by=run.started_by,
        ended_at=at,
    )


def result_of(
    run: RunFile,
    recorded: Recorded,
    attempt: int,
    state: RunState,
    reason: Reason | None,
    message: str,
    detail: str = "",
    compared: str = "",
) -> RunResult:
    last = recorded.attempts[attempt]
    return RunResult(
        run=run.run,
        model=run.model,
        state=state,
        commit=run.commit,
        code_key=run.code_key,
        reason=reason,
        message=message,
        detail=detail,
        scores=last.scores,
        compared=compared,
        artifact=last.artifact,
        attempts=attempt,
        params=last.params or run.train.params,
        model_params=last.model_params or run.train.model_params,
        dataset_fingerprint=run.dataset_fingerprint,
        validation_fingerprint=run.validation_fingerprint,
        queued_at=datetime.fromtimestamp(run.queued_at, UTC),
        began_at=last.began_at,
        ended_at=last.ended_at,
        peak_memory=last.peak_memory,
        cpu_seconds=last.cpu_seconds,
        packages=last.packages,
        started_by=run.started_by,
        own=run.own,
    )


def cancelled_run(model: str, key: str, attempts: int, message: str, run: RunFile | None) -> RunResult:
    """`run`: None where nobody knows any more what it was."""
    about = {} if run is None else _about(run)
    return RunResult(run=key, model=model, state=RunState.CANCELLED, message=message, attempts=attempts, **about)


def failed_run(run: RunFile, attempts: int, message: str) -> RunResult:
    """One whose code no attempt could begin with, after those there were."""
    return RunResult(
        run=run.run,
        model=run.model,
        state=RunState.FAILED,
        reason=Reason.BAD_CONTRACT,
        message=message,
        attempts=attempts,
        **_about(run),
    )


def _about(run: RunFile) -> dict[str, Any]:
    """What a result says of the run, whatever became of it: another attempt is made from that."""
    return {
        "commit": run.commit,
        "code_key": run.code_key,
        "params": run.train.params,
        "model_params": run.train.model_params,
        "dataset_fingerprint": run.dataset_fingerprint,
        "validation_fingerprint": run.validation_fingerprint,
        "queued_at": datetime.fromtimestamp(run.queued_at, UTC),
        "started_by": run.started_by,
        "own": run.own,
    }
