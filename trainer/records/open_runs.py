"""The runs that are not over, in files: a restart goes on where it was, and their age stays what it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from core.manifest.train import Train
from trainer.plan import OpenRun


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """`<home>/<run key>/run.json`."""

    run: str
    model: str
    commit: str
    code_key: str
    train: Train
    queued_at: float
    dataset_fingerprint: str = ""
    validation_fingerprint: str = ""
    started_by: str = ""
    asked: bool = False
    """Whether a person asked for it: then no commit ends it."""
    own: bool = False
    """Whether its params are a person's, not the folder's; such a run never goes live by itself."""

    def opened(self, wanted: bool) -> OpenRun:
        return OpenRun(
            key=self.run,
            model=self.model,
            priority=self.train.priority,
            queued_at=self.queued_at,
            retries=self.train.retries,
            supersede=self.train.supersede,
            wanted=wanted or self.asked,
        )


class OpenRuns:
    """Files that are damaged are as good as none: what is wanted is opened again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        home.mkdir(parents=True, exist_ok=True)
        self._runs = {run.run: run for path in home.glob("[!.]*/run.json") if (run := _read(path)) is not None}

    @property
    def all(self) -> Mapping[str, RunFile]:
        return self._runs

    def open(self, run: RunFile) -> None:
        """Does nothing where it is open, unless a person asks now for what a commit wanted. Raises OSError."""
        known = self._runs.get(run.run)
        if known is None or (run.asked and not known.asked):
            self._write(run)

    def keep_up(self, wanted: RunFile) -> None:
        """An open run goes on by what the head says now of its gates, limits and priority. Raises OSError."""
        known = self._runs[wanted.run]
        if known.train != wanted.train:
            self._write(msgspec.structs.replace(known, train=wanted.train))

    def close(self, key: str) -> None:
        with suppress(FileNotFoundError):
            (self._home / key / "run.json").unlink()
        self._runs.pop(key, None)

    def _write(self, run: RunFile) -> None:
        folder = self._home / run.run
        folder.mkdir(exist_ok=True)
        aside = folder / ".run.tmp"
        aside.write_bytes(msgspec.json.encode(run))
        os.replace(aside, folder / "run.json")
        self._runs[run.run] = run


def _read(path: Path) -> RunFile | None:
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=RunFile)
    return None
