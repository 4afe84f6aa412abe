"""Passes on what became of runs: to what is served, to the registry, and to those who read events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from datetime import datetime

from core.events import Event
from core.runs.records import RunRecord
from core.runs.runs import RunResult
from trainer.open_states import OpenState
from trainer.records.accepted import AcceptedArtifacts
from trainer.reports import Reports


class Publisher:
    """`publish` after each look; `read_back` in a thread before it."""

    def __init__(
        self,
        reports: Reports,
        accepted: AcceptedArtifacts,
        read_accepted: Callable[[Sequence[str]], list[RunResult]],
        record: Callable[[RunRecord], None],
        tell: Callable[[Event], None],
        changed: Callable[[], None],
    ) -> None:
        """`read_accepted`: what the store says became of models' runs; blocks. `changed` is called when other artifacts
        are accepted, and when the state of a run at the head is another."""
        self._reports = reports
        self._accepted = accepted
        self._read_accepted = read_accepted
        self._record = record
        self._event = tell
        self._changed = changed
        self._read_models: set[str] = set()
        self._ends: dict[str, tuple[datetime, str, str]] = {}
        """Of each code key that was ever trained, when its newest run ended, how, and its key."""

    def read_back(self, models: Set[str]) -> None:
        """What the store knows of models that were not read since the start. A registry that was lost is filled so.

        Raises StoreUnavailable.
        """
        for model in sorted(models - self._read_models):
            self._reports.settled.extend(self._read_accepted([model]))
            self._read_models.add(model)

    def publish(self, models: Set[str], open: Iterable[OpenState], *, acts: bool) -> None:
        """`models`: those that train, at the followed head. `open`: the runs that are not over. `acts`: whether this
        daemon is the one that trains."""
        while self._reports.events:
            event = self._reports.events.popleft()
            if acts:  # those who follow see the same, and hear of it from the one that acts
                self._event(event)
        is_news = self._read_all(models)
        while self._reports.settled:
            result = self._reports.settled.popleft()
            self._note_end(result)
            is_news |= self._accepted.add(result)
            self._record(record_of(result))
        is_news |= self._take_gone()
        opened = {state.run.code_key: (str(state.state), state.run.run) for state in open if not state.run.own}
        newest = {**{key: (state, run) for key, (_, state, run) in self._ends.items()}, **opened}
        states = {key: state for key, (state, _) in newest.items()}
        is_news |= states != self._accepted.states
        self._accepted.states = states
        self._accepted.run_keys = {key: run for key, (_, run) in newest.items()}
        if is_news:
            self._changed()

    def _take_gone(self) -> bool:
        """Whether something that was accepted is no longer kept."""
        is_news = False
        while self._reports.gone:
            result = self._reports.gone.popleft()
            self._ends.pop(result.code_key, None)
            is_news |= self._accepted.remove(result)
        return is_news

    def _read_all(self, models: Set[str]) -> bool:
        """Whether it is known only now what the store has of all models that train."""
        is_news = not self._accepted.is_read and bool(models) and models <= self._read_models
        self._accepted.is_read |= is_news
        return is_news

    def _note_end(self, result: RunResult) -> None:
        """Of the runs of a code key the one that ended last tells how it stands, whichever was read last."""
        known = self._ends.get(result.code_key)
        if not result.own and (known is None or known[0] <= result.ended_at):
            self._ends[result.code_key] = (result.ended_at, str(result.state), result.run)


def record_of(result: RunResult) -> RunRecord:
    """What the registry keeps of a run that is over."""
    fields = {
        name: getattr(result, name) for name in RunResult.__struct_fields__ if name in RunRecord.__struct_fields__
    }
    fields.update(attempt=max(1, result.attempts), state=str(result.state), reason=str(result.reason or ""))
    fields.update(queued_at=result.queued_at or result.ended_at)
    return RunRecord(**fields)
