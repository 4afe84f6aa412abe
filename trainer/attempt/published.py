"""What is in the store of an attempt while it runs elsewhere: how far it has come, its curve, and what it prints."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import StoreUnavailable
from core.runs.runs import RunSpec
from loader.artifacts.records import RunRecords
from trainer.attempt.run_log import read_log
from trainer.records.record_names import attempt_curve, attempt_log, attempt_state

log = logging.getLogger("pawl.trainer")

_LOOK_S = 2.0
_LOG_S = 10.0
_BYTES_A_SECOND = 200_000
"""Of a log that grows: a long one is sent more rarely."""


class Published:
    """`run` until it is cancelled. What can't be sent now is sent later, or not at all: the record is what counts."""

    def __init__(self, records: RunRecords, spec: RunSpec, folder: Path) -> None:
        self._records = records
        self._spec = spec
        self._folder = folder
        self._sent: dict[str, int] = {}
        """A hash of what was sent last, by name."""
        self._log_at = 0.0

    async def run(self) -> None:
        while True:
            await asyncio.to_thread(self._send)
            await asyncio.sleep(_LOOK_S)

    def _send(self) -> None:
        attempt, folder = self._spec.attempt, self._folder
        self._changed(attempt_state(attempt), lambda: (folder / "state.json").read_bytes())
        now = time.monotonic()
        if now >= self._log_at:
            self._changed(attempt_curve(attempt), lambda: (folder / "progress.jsonl").read_bytes())
            sent = self._changed(attempt_log(attempt), lambda: read_log(folder / "log.txt", self._spec.log_bytes))
            self._log_at = now + max(_LOG_S, sent / _BYTES_A_SECOND)

    def _changed(self, name: str, read: Callable[[], bytes]) -> int:
        """How many bytes were sent."""
        try:
            content = read()
            if content and self._sent.get(name) != hash(content):
                self._records.put(self._spec.model, self._spec.run, name, content)
                self._sent[name] = hash(content)
                return len(content)
        except (StoreUnavailable, OSError) as error:
            log.info("%s is not sent yet: %s", name, error)
        return 0
