"""What the controller tells from its thread: to the log at once, and kept for the loop's thread to take."""

from __future__ import annotations

import logging
from collections import deque

from core.runs import AttemptResult, RunResult, RunState
from trainer.controller import Told
from trainer.open_runs import RunFile

log = logging.getLogger("pawl.trainer")


class Reports:
    def __init__(self) -> None:
        self.settled: deque[RunResult] = deque()
        """Runs that are over, and were not taken yet."""
        self.told = Told(
            opened=self._opened,
            begun=self._begun,
            attempted=self._attempted,
            settled=self._settled,
            superseded=self._superseded,
        )
        self._said: set[tuple[str, int]] = set()
        """Ends that the log tells of already: they are told again when the run is closed."""

    def _opened(self, run: RunFile) -> None:
        log.info("%s: run %s is queued (%s)", run.model, run.run, run.started_by)

    def _begun(self, run: RunFile, attempt: int) -> None:
        log.info("%s: run %s begins, attempt %d", run.model, run.run, attempt)

    def _attempted(self, result: AttemptResult) -> None:
        log.warning("%s: run %s, attempt %d: %s", result.model, result.run, result.attempt, result.message)

    def _settled(self, result: RunResult) -> None:
        self.settled.append(result)
        if (result.run, result.attempts) in self._said:
            return
        self._said.add((result.run, result.attempts))
        level = logging.INFO if result.state is RunState.SUCCEEDED else logging.WARNING
        log.log(level, "%s: run %s is %s%s", result.model, result.run, result.state, _why(result))

    def _superseded(self, run: RunFile) -> None:
        log.info("%s: run %s is superseded: the head wants it no more", run.model, run.run)


def _why(result: RunResult) -> str:
    scores = ", ".join(f"{name} {score:.6g}" for name, score in result.scores.items())
    told = (result.reason or "", result.message, scores, result.compared if result.message != result.compared else "")
    said = "; ".join(str(part) for part in told if part)
    return f": {said}" if said else ""
