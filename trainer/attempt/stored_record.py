"""What an attempt leaves in the store besides its artifact: what it printed and reported, and last its record."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from core.errors import StoreUnavailable
from core.runs.runs import AttemptResult, RunSpec
from loader.artifacts.records import RunRecords
from trainer.attempt.run_log import read_log
from trainer.attempt.stop import Stop
from trainer.attempt.store_retry import retry_while_away
from trainer.records.record_names import attempt_curve, attempt_log, attempt_record

log = logging.getLogger("pawl.trainer")

_LAST_TRIES_S = 30.0
"""For a store that is away when the attempt is to stop."""


async def write(records: RunRecords, spec: RunSpec, folder: Path, result: AttemptResult, stop: Stop) -> bool:
    """All of it; whether the record is there now. While the store is away it is tried again: for as long as it takes,
    or, where the attempt is to stop, for a moment. `folder`: the attempt's own."""
    writing = asyncio.ensure_future(retry_while_away(partial(_write, records, spec, folder, result), _say))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((writing, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await asyncio.wait((writing,), timeout=_LAST_TRIES_S)
    return writing.done()


async def leave(records: RunRecords, spec: RunSpec, folder: Path) -> None:
    """All but the record. One try: whoever reads on does without."""
    for name, content in _left(spec, folder).items():
        with suppress(StoreUnavailable):
            await asyncio.to_thread(records.put, spec.model, spec.run, name, content)


def _write(records: RunRecords, spec: RunSpec, folder: Path, result: AttemptResult) -> None:
    for name, content in _left(spec, folder).items():
        records.put(spec.model, spec.run, name, content)
    records.put_once(spec.model, spec.run, attempt_record(spec.attempt), msgspec.json.encode(result))


def _left(spec: RunSpec, folder: Path) -> dict[str, bytes]:
    """By name in the store."""
    curve = folder / "progress.jsonl"
    left = {attempt_log(spec.attempt): read_log(folder / "log.txt", spec.log_bytes)}
    return {**left, attempt_curve(spec.attempt): curve.read_bytes()} if curve.exists() else left


def _say(problem: str) -> None:
    log.warning("the record is not written yet: %s", problem)
