"""What is to be done for the runs there are. Pure: it sees what is wanted, what runs and what is recorded.

An attempt's record, and a run's, is written once and never replaced. So whatever two daemons do at the same time, or a
process that was given up and ends late, the first that is written holds, and everyone goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.runs.runs import AttemptResult, Failure, RunResult
from core.runs.states import RunState

_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True)
class OpenRun:
    """A run that somebody wants, or has wanted."""

    key: str
    model: str
    priority: int = 0
    queued_at: float = 0.0
    """Seconds since the epoch; the older goes first."""
    retries: int = 1
    supersede: Literal["queued", "running", "none"] = "queued"
    wanted: bool = True
    """Whether the head still wants it, or a person asked for it."""


@dataclass(frozen=True)
class Running:
    """A process or a Job, which may have ended its work already."""

    attempt: int
    stopping: RunState | None = None
    """What it was told to stop for."""
    failure: Failure | None = None
    """Why it will come to nothing, though it lives."""


@dataclass(frozen=True)
class Recorded:
    """What is written down of a run."""

    attempts: Mapping[int, AttemptResult] = field(default_factory=dict)
    result: RunResult | None = None
    """What became of it; None: it is open, perhaps again."""
    retried_after: int | None = None
    """Attempts that there had been when a person last asked for another."""
    begun: int = 0
    """The last attempt that was begun here."""

    @property
    def last(self) -> int:
        return max(self.attempts, default=0)


@dataclass(frozen=True)
class Start:
    """Begin an attempt."""

    key: str
    attempt: int


@dataclass(frozen=True)
class Stop:
    """End the process of an attempt: its run is superseded, or has ended already."""

    key: str
    attempt: int
    why: RunState


@dataclass(frozen=True)
class Judge:
    """The attempt has trained: the gates decide."""

    key: str
    attempt: int


@dataclass(frozen=True)
class Conclude:
    """No further attempt: the run ends as its last one did."""

    key: str
    attempt: int
    state: RunState


@dataclass(frozen=True)
class GiveUp:
    """The attempt will come to nothing: that is written down, and then it is stopped."""

    key: str
    attempt: int
    failure: Failure


@dataclass(frozen=True)
class MarkLost:
    """An attempt was begun here, and neither its process nor its record can be found."""

    key: str
    attempt: int


@dataclass(frozen=True)
class Supersede:
    """A queued run is wanted no more."""

    key: str


@dataclass(frozen=True)
class Close:
    """Nothing is left to do for a run."""

    key: str


Action = Start | Stop | Judge | Conclude | GiveUp | MarkLost | Supersede | Close


def plan(
    runs: Iterable[OpenRun],
    running: Mapping[str, Running],
    recorded: Mapping[str, Recorded],
    at_once: int,
    now: float,
) -> tuple[Action, ...]:
    """In the order in which they are to be done. What is to be started comes last, and never more than there is room
    for."""
    runs = sorted(runs, key=lambda run: (-run.priority, run.queued_at, run.key))
    policies = {run.model: run.supersede for run in runs if run.wanted}
    decided = [
        _decide(
            run, running.get(run.key), recorded.get(run.key, Recorded()), policies.get(run.model, run.supersede), now
        )
        for run in runs
    ]
    room = at_once - len(running)
    starts = [action for action in decided if isinstance(action, Start)]
    return (
        *(action for action in decided if action is not None and not isinstance(action, Start)),
        *starts[: max(0, room)],
    )


def state_of(run: OpenRun, running: Running | None, recorded: Recorded, reported: RunState | None = None) -> RunState:
    """What is to be said of it. `reported` is what its process says: pending, running or evaluating."""
    if recorded.result is not None:
        return recorded.result.state
    if running is not None and running.attempt not in recorded.attempts:
        return running.stopping or reported or RunState.PENDING
    if recorded.last and recorded.attempts[recorded.last].state is RunState.SUCCEEDED:
        return RunState.EVALUATING
    return RunState.QUEUED if run.wanted or run.supersede == "none" else RunState.SUPERSEDED


def counted(recorded: Recorded) -> int:
    """Attempts that used up a retry: those that we ended ourselves did not."""
    return sum(
        result.state not in (RunState.SUPERSEDED, RunState.CANCELLED)
        for attempt, result in recorded.attempts.items()
        if attempt > (recorded.retried_after or 0)
    )


def _decide(run: OpenRun, running: Running | None, recorded: Recorded, policy: str, now: float) -> Action | None:
    if recorded.result is not None:
        return _after_the_end(run, running, recorded.result)
    if running is not None and running.attempt not in recorded.attempts:
        return _while_it_runs(run, running, policy)
    action = _between_attempts(run, recorded, policy, now)
    if running is None or not isinstance(action, Start):
        return action
    # It has written its record, or another has for it, and has yet to end.
    return Stop(run.key, running.attempt, RunState.CANCELLED) if running.stopping is None else None


def _between_attempts(run: OpenRun, recorded: Recorded, policy: str, now: float) -> Action | None:
    if recorded.begun > recorded.last:
        return MarkLost(run.key, recorded.begun)
    if recorded.last > (recorded.retried_after or 0):
        return _after_an_attempt(run, recorded, policy, now)
    return _queued(run, recorded, policy)


def _after_the_end(run: OpenRun, running: Running | None, result: RunResult) -> Action | None:
    if running is None:
        return Close(run.key)
    if running.stopping is None:
        return Stop(run.key, running.attempt, result.state)
    return None


def _while_it_runs(run: OpenRun, running: Running, policy: str) -> Action | None:
    if not run.wanted and policy == "running" and running.stopping is None:
        return Stop(run.key, running.attempt, RunState.SUPERSEDED)
    if running.failure is not None:
        return GiveUp(run.key, running.attempt, running.failure)
    return None


def _after_an_attempt(run: OpenRun, recorded: Recorded, policy: str, now: float) -> Action | None:
    last = recorded.attempts[recorded.last]
    if last.state is RunState.SUCCEEDED:
        return Judge(run.key, recorded.last)
    if last.state in (RunState.SUPERSEDED, RunState.CANCELLED):
        return _queued(run, recorded, policy)
    tries = counted(recorded)
    if not last.heals or tries > run.retries:
        return Conclude(run.key, recorded.last, last.state)
    if now < last.ended_at.timestamp() + min(2.0 ** (tries - 1), _LONGEST_PAUSE_S):
        return None
    return _queued(run, recorded, policy)


def _queued(run: OpenRun, recorded: Recorded, policy: str) -> Action:
    if not run.wanted and policy != "none":
        return Supersede(run.key)
    return Start(run.key, recorded.last + 1)
