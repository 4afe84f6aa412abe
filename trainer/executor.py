"""Where attempts run: the seam between what is to be trained and the processes or Jobs that do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from core.errors import PawlError
from core.runs.runs import Failure, RunSpec
from core.runs.states import RunState
from trainer.attempt.progress import Reached
from trainer.plan import Running


class ExecutorUnavailable(PawlError):
    """The place where attempts run can't be asked now; another try may help."""


class NotBegun(PawlError):
    """An attempt is not allowed there, whenever it is tried."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Executor(Protocol):
    """`LocalRuns`, or `KubernetesRuns`. Every method raises OSError or ExecutorUnavailable, and can be called again."""

    def begin(self, spec: RunSpec) -> None:
        """Twice is once. Where it raises, nobody knows whether it has begun. Raises NotBegun."""
        ...

    def running(self) -> Mapping[str, Running]:
        """Of each run the attempt that lives."""
        ...

    def begun(self, model: str, key: str) -> int:
        """The last attempt that was begun; 0: none was."""
        ...

    def reached(self, key: str, attempt: int) -> Reached | None:
        """How far it says that it has come."""
        ...

    def stop(self, key: str, attempt: int, why: RunState) -> None:
        """Ask it to end."""
        ...

    def enforce(self) -> None:
        """End those that were asked to, and take too long."""
        ...

    def bury(self, model: str, key: str, attempt: int) -> Failure:
        """See to it that nothing lives of an attempt that was begun and runs no more; why it left no record."""
        ...

    def remove(self, key: str) -> None:
        """All of the run, and whatever of it may live."""
        ...
