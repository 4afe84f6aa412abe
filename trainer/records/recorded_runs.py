"""What the store says of runs, and what is written there: each record once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from loader.artifacts.records import RunRecords
from trainer.plan import Recorded
from trainer.records.record_names import (
    LOG,
    RESULT,
    acceptance_record,
    attempt_log,
    attempt_record,
    attempts_in,
    result_record,
    retried_after,
    retry_record,
    verdict,
    withdrawal_record,
)

T = TypeVar("T", bound=msgspec.Struct)
_FRESH_S = 5.0


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """Another attempt was asked for: by a person, or by a commit that wants what is no longer kept."""

    by: str = ""
    why: str = ""


class RecordedRuns:
    """Every method raises StoreUnavailable. What was read of a run is remembered, for it never changes."""

    def __init__(self, records: RunRecords, now: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._now = now
        self._read: dict[tuple[str, str, str], msgspec.Struct] = {}
        self._listed: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {}
        """Of runs that go on: when their records were listed, and which, unless one was written here since."""

    def recorded(self, model: str, key: str, begun: int = 0, *, goes_on: bool = False) -> Recorded:
        """All that is written of the run; `begun` is the last attempt that had a process here.

        `goes_on`: whether an attempt is under way, which writes its record at its end. Then the store is asked once in
        a few seconds: of what another daemon wrote nothing is known until then.
        """
        names = self._names(model, key, goes_on)
        attempts = {
            number: found
            for number in attempts_in(names)
            if (found := self._get(model, key, attempt_record(number), AttemptResult)) is not None
        }
        name = verdict(names)
        result = None if name is None else self._get(model, key, name, RunResult)
        return Recorded(attempts, result, retried_after(names), begun)

    def last_result(self, model: str, key: str) -> RunResult | None:
        """What became of it before it was last tried again."""
        return self._get(model, key, RESULT, RunResult)

    def record_attempt(self, result: AttemptResult) -> None:
        """Unless another has."""
        self._put_once(result.model, result.run, attempt_record(result.attempt), result)

    def conclude(self, result: RunResult, retried_after: int | None) -> RunResult:
        """Write down what became of the run; what the first wrote who did that."""
        model, key, name = result.model, result.run, result_record(retried_after)
        self._keep_log(result)
        self._put_once(model, key, name, result)
        written = self._get(model, key, name, RunResult)
        assert written is not None
        if retried_after is not None:
            self._records.put(model, key, RESULT, msgspec.json.encode(written))
        return written

    def complete(self, result: RunResult) -> None:
        """Nothing of the run is alive: keep the log of an attempt that ended after what became of the run was known."""
        if result.state is RunState.CANCELLED or LOG not in self._records.names(result.model, result.run):
            self._keep_log(result)

    def accept(self, result: RunResult) -> RunResult:
        """A person takes it all the same."""
        name = acceptance_record(self._records.names(result.model, result.run))
        self._put_once(result.model, result.run, name, result)
        written = self._get(result.model, result.run, name, RunResult)
        assert written is not None
        return written

    def retry(self, model: str, key: str, after: int, retry: Retry) -> None:
        """Open the run again, with another attempt than those there were; what a person accepted is so no longer."""
        self._put_once(model, key, retry_record(after), retry)
        names = self._records.names(model, key)
        if acceptance_record(names) in names:
            self._put_once(model, key, withdrawal_record(after), retry)

    def forget(self, model: str, key: str) -> None:
        """What is remembered of it in memory."""
        self._read = {place: read for place, read in self._read.items() if place[:2] != (model, key)}
        self._listed.pop((model, key), None)

    def _keep_log(self, result: RunResult) -> None:
        log = self._records.get(result.model, result.run, attempt_log(result.attempts))
        if log is not None:
            self._records.put(result.model, result.run, LOG, log)

    def _names(self, model: str, key: str, goes_on: bool) -> tuple[str, ...]:
        now, known = self._now(), self._listed.get((model, key))
        if goes_on and known is not None and now < known[0] + _FRESH_S:
            return known[1]
        names = self._records.names(model, key)
        if goes_on:
            self._listed[model, key] = now, names
        return names

    def _get(self, model: str, key: str, name: str, kind: type[T]) -> T | None:
        place = (model, key, name)
        known = self._read.get(place)
        if isinstance(known, kind):
            return known
        content = self._records.get(model, key, name)
        if content is None:
            return None
        read = msgspec.json.decode(content, type=kind)
        if name != RESULT:  # which a retry's result replaces
            self._read[place] = read
        return read

    def _put_once(self, model: str, key: str, name: str, value: msgspec.Struct) -> None:
        try:
            self._records.put_once(model, key, name, msgspec.json.encode(value))
        finally:
            self._listed.pop((model, key), None)
