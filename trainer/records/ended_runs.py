"""Which runs are known to have ended, so that they needn't be asked about at each look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from core.runs.runs import RunResult
from core.runs.states import RunState
from trainer.records.open_runs import RunFile
from trainer.records.recorded_runs import RecordedRuns
from trainer.turns import Turns

_End = tuple[int, RunState, datetime]
"""By which two results of a run are told apart: its attempts, what became of it, and when."""
_ANEW_S = 15.0
"""After which it is asked anew what became of a run that had ended: another daemon may have tried it again."""


class EndedRuns:
    """What asks the store raises StoreUnavailable."""

    def __init__(
        self, recorded_runs: RecordedRuns, settled: Callable[[RunResult], None], now: Callable[[], float] = time.time
    ) -> None:
        """`settled` is told of each end, once."""
        self._recorded_runs = recorded_runs
        self._settled = settled
        self._now = now
        self._over: dict[tuple[str, str], _End] = {}
        self._anew = Turns(_ANEW_S)
        self._open_elsewhere = Turns(0.0)
        """Of the runs that had ended, and of others that another daemon looks after, those that are asked about now."""

    def is_over(self, model: str, key: str) -> bool:
        """Whether the run has ended, for good as far as the trainer goes."""
        return (model, key) in self._over or self.has_ended(model, key)

    def has_ended(self, model: str, key: str) -> bool:
        """Likewise, whatever was known of it: another daemon may have tried it again."""
        result = self._recorded_runs.recorded(model, key).result
        if result is None:
            self.forget(model, key)
        else:
            self.note(result)
        return result is not None

    def note(self, result: RunResult) -> None:
        """It has ended so."""
        place, end = (result.model, result.run), (result.attempts, result.state, result.ended_at)
        if self._over.get(place) != end:
            self._over[place] = end
            self._settled(result)

    def forget(self, model: str, key: str) -> None:
        """It is open, perhaps again."""
        self._over.pop((model, key), None)

    def ask_anew(self, wanted: Sequence[RunFile]) -> None:
        """What became of some of the runs that had ended: a person may have retried one at another daemon."""
        self._ask(self._anew, {run.run: run for run in wanted if (run.model, run.run) in self._over})

    def follow(self, wanted: Sequence[RunFile]) -> None:
        """Another daemon acts: see what becomes of the runs."""
        self.ask_anew(wanted)
        self._ask(self._open_elsewhere, {run.run: run for run in wanted if (run.model, run.run) not in self._over})

    def _ask(self, turns: Turns, runs: Mapping[str, RunFile]) -> None:
        for key in turns.next(runs, self._now()):
            self.has_ended(runs[key].model, key)
