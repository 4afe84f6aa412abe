"""What the controller tells from its thread: kept as events and results for the loop's thread to take."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

from core.events import BY_PUSH, Actor, Event, EventKind
from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from trainer.demand.demand import BY_COMMIT, Trainable
from trainer.records.open_runs import RunFile
from trainer.run_controller import Told


class Reports:
    def __init__(self) -> None:
        self.settled: deque[RunResult] = deque()
        """Runs that are over, and were not taken yet."""
        self.gone: deque[RunResult] = deque()
        """Runs of which what they left is no longer kept, likewise."""
        self.events: deque[Event] = deque()
        """What happened, likewise."""
        self.told = Told(
            opened=self._opened,
            begun=self._begun,
            attempted=self._attempted,
            superseded=self._superseded,
            gone=self.gone.append,
        )
        self._began_at = datetime.now(UTC)
        self._said: set[tuple[str, int, RunState]] = set()
        """Ends that were told of: they are told again when the run is closed."""

    def waiting(self, trainable: Trainable, why: str) -> None:
        """A run that the head wants can't even be queued, or has no data."""
        model, commit = trainable.revision.model, trainable.version.commit
        self.events.append(Event(kind=EventKind.RUN_QUEUED, model=model, commit=commit, message=why, actor=BY_PUSH))

    def _opened(self, run: RunFile) -> None:
        self._add(EventKind.RUN_QUEUED, run, f"run {run.run} is queued ({run.started_by})")

    def _begun(self, run: RunFile, attempt: int) -> None:
        again = "" if attempt == 1 else f", attempt {attempt}"
        self._add(EventKind.RUN_STARTED, run, f"run {run.run} has started{again}")

    def _attempted(self, result: AttemptResult) -> None:
        end = _ENDS.get(result.state, result.state)
        message = f"run {result.run}, attempt {result.attempt}, {end}{_why(result)}"
        self.events.append(
            Event(
                kind=EventKind.RUN_ENDED,
                model=result.model,
                commit=result.commit,
                message=message,
                actor=_actor(result.started_by),
            )
        )

    def settle(self, result: RunResult) -> None:
        """A run is over; told again after a restart."""
        self.settled.append(result)
        end = (result.run, result.attempts, result.state)
        if end in self._said or result.ended_at < self._began_at:  # one of before a restart, which told of it
            return
        self._said.add(end)
        self.events.append(
            Event(
                kind=EventKind.RUN_ENDED,
                model=result.model,
                commit=result.commit,
                message=f"run {result.run} {_ENDS.get(result.state, result.state)}{_why(result)}",
                detail=result.detail,
                actor=_actor(result.started_by),
            )
        )

    def _superseded(self, run: RunFile) -> None:
        self._add(EventKind.RUN_ENDED, run, f"run {run.run} is superseded: the head wants it no more")

    def _add(self, kind: EventKind, run: RunFile, message: str) -> None:
        actor = _actor(run.started_by)
        self.events.append(Event(kind=kind, model=run.model, commit=run.commit, message=message, actor=actor))


_ENDS = {
    RunState.SUCCEEDED: "succeeded",
    RunState.REJECTED: "was rejected",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "was cancelled",
    RunState.LOST: "was lost",
}


def _actor(started_by: str) -> Actor | None:
    """Of a run that a commit began, git; what a person asks for is told as an event of its own."""
    return BY_PUSH if started_by.startswith(BY_COMMIT) else None


def _why(result: RunResult | AttemptResult) -> str:
    scores = ", ".join(f"{name} {score:.6g}" for name, score in result.scores.items())
    compared = result.compared if isinstance(result, RunResult) else ""
    told = (result.reason or "", result.message, scores, compared if result.message != compared else "")
    said = "; ".join(str(part) for part in told if part)
    return f": {said}" if said else ""
