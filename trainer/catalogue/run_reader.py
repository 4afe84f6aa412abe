"""What the files of a run say of it: here while it runs, and in the store once an attempt is over."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from core.runs.runs import AttemptResult, RunResult
from core.runs.states import RunState
from loader.artifacts.records import RunRecords
from trainer.attempt.progress import Point, read_curve, read_points, read_reached
from trainer.attempt.run_log import read_log
from trainer.catalogue.views import RunDetail, RunView, detail_of, try_of
from trainer.records.record_names import LOG, attempt_curve, attempt_log, attempt_record, attempts_in, decisive


class RunReader:
    """Reads them, and blocks meanwhile. What reads the store raises StoreUnavailable."""

    def __init__(self, records: RunRecords, home: Path, log_bytes: int) -> None:
        """`home`: the folder of the runs' own folders. `log_bytes`: what is kept of what an attempt prints."""
        self.log_bytes = log_bytes
        self._records = records
        self._home = home

    def log_file(self, key: str, attempt: int) -> Path:
        """Where an attempt writes what it prints, while it runs here."""
        return self._folder(key, attempt) / "log.txt"

    def with_progress(self, view: RunView) -> RunView:
        """Read from a small file, of those few that run here."""
        if view.state is RunState.QUEUED or not view.attempts:
            return view
        reached = read_reached(self._folder(view.run, view.attempts))
        if reached is None:
            return view
        return msgspec.structs.replace(view, what=reached.what, step=reached.step, total=reached.total)

    def detail(self, view: RunView) -> RunDetail:
        names = self._records.names(view.model, view.run)
        attempts = [
            msgspec.json.decode(content, type=AttemptResult)
            for number in attempts_in(names)
            if (content := self._records.get(view.model, view.run, attempt_record(number))) is not None
        ]
        record = self._result(view, decisive(names)) or (attempts[-1] if attempts else None)
        return detail_of(view, record, tuple(map(try_of, attempts)), tuple(self._curve(view, _last(view, names))))

    def log(self, view: RunView, attempt: int) -> bytes:
        """What is kept of what the attempt printed; 0: the last one."""
        attempt = attempt or _last(view, self._records.names(view.model, view.run))
        if not attempt:
            return b""
        if here := read_log(self.log_file(view.run, attempt), self.log_bytes):
            return here
        stored = self._records.get(view.model, view.run, attempt_log(attempt))
        if stored is None and attempt == view.attempts:
            stored = self._records.get(view.model, view.run, LOG)
        return stored or b""

    def _result(self, view: RunView, name: str | None) -> RunResult | None:
        if name is None or view.is_going_on:
            return None
        content = self._records.get(view.model, view.run, name)
        with suppress(msgspec.DecodeError):
            return None if content is None else msgspec.json.decode(content, type=RunResult)
        return None

    def _curve(self, view: RunView, attempt: int) -> list[Point]:
        if not attempt:
            return []
        here = read_curve(self._folder(view.run, attempt))
        return here or read_points(self._records.get(view.model, view.run, attempt_curve(attempt)) or b"")

    def _folder(self, key: str, attempt: int) -> Path:
        return self._home / key / f"a{attempt}"


def _last(view: RunView, names: tuple[str, ...]) -> int:
    """The last attempt. Of a run that was cancelled during one, what became of it was written before that had ended."""
    return max((*attempts_in(names), view.attempts))
