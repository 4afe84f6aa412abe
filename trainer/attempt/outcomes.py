"""Why an attempt did not train, from how its process ended. Pure."""

from __future__ import annotations

import signal

from core.manifest.train import Train
from core.process.signals import signal_name
from core.runs.runs import Failure
from core.runs.states import Reason, RunState
from trainer.attempt.child import Ended
from worker.wire.training import Breach, CannotJudge, Exited, Judged, NoScores, Raised, Trained


def failure_of(ended: Ended, train: Train) -> Failure | None:
    """None where it did what it was asked."""
    if ended.killed_for is not None:
        return _container_full(ended, train) if ended.container_full else _killed(ended.killed_for, train)
    match ended.outcome:
        case Trained() | Judged():
            return None
        case Breach(message) | CannotJudge(message):
            return Failure(Reason.BAD_CONTRACT, message)
        case NoScores(message):
            return Failure(Reason.NO_SCORES, message)
        case Raised():
            return Failure(Reason.RAISED, ended.outcome.message, ended.outcome.traceback)
        case Exited():
            return Failure(Reason.EXITED, ended.outcome.message)
    return _silent(ended)


def _killed(reason: Reason, train: Train) -> Failure:
    if reason is Reason.OUT_OF_MEMORY:
        message = (
            f"the run took more memory than train.resources.memory gives it ({train.resources.memory}); "
            "raise that, or have the code hold less at a time"
        )
        return Failure(reason, message)
    message = (
        f"the run was not over after {train.timeout_s:g} s; the end of its log shows where it was; "
        "raise train.timeout_s, or train less"
    )
    return Failure(reason, message)


def _container_full(ended: Ended, train: Train) -> Failure:
    if ended.shares_container:
        return Failure(
            Reason.EVICTED,
            "the server's container was nearly out of memory, by models and runs together, and serving comes first; "
            f"this run took the most ({ended.peak_memory >> 20} MiB), so it made room; give the container more memory, "
            "or train in Jobs (TRAINER=kubernetes)",
            heals=True,
            state=RunState.LOST,
        )
    return Failure(
        Reason.OUT_OF_MEMORY,
        "the run took nearly all memory of its container, which train.resources.memory sets "
        f"({train.resources.memory}); raise that, or have the code hold less at a time",
    )


def _silent(ended: Ended) -> Failure:
    """It ended without a word."""
    if ended.status < 0 and ended.out_of_memory:
        message = "the kernel ended the run, for the machine or the container was out of memory; give it more"
        return Failure(Reason.OUT_OF_MEMORY, message)
    if ended.status < 0:
        number = -ended.status
        message = f"the run's process was ended by {signal_name(number)}, which Pawl did not send: {_why(number)}"
        return Failure(None, message, heals=True, state=RunState.LOST)
    return Failure(
        Reason.EXITED,
        f"the code ended its process with exit code {ended.status} instead of returning "
        "scores; the end of its log shows what it did last: let it raise an exception, or return",
    )


_CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS}
)


def _why(number: int) -> str:
    if number in _CRASHES:
        return "a library that the code uses crashed, and the end of the log shows where; try another version of it"
    if number == signal.SIGKILL:
        return "the machine was out of memory, or somebody ended it; see to the machine's memory if it lasts"
    return "somebody ended it, or the code itself did"
