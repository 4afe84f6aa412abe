"""Attempts of models that a test writes down, with a store of their own."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from core.manifest.train import Train
from core.runs.runs import AttemptResult, RunSpec
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.artifacts.store import ArtifactStore
from trainer.local import LocalRuns
from trainer.records.record_names import attempt_record

KEY = "0123456789ab"
MODEL = "Iris"


class Shop:
    """A DATA_DIR with runs."""

    def __init__(self, data: Path, artifacts: str = "") -> None:
        self.data = data
        self.local = LocalRuns(data / "runs", dict(os.environ), max_kept_bytes=1 << 30)
        self.artifacts = artifacts
        files = open_files(artifacts, data)
        self.records, self.store = RunRecords(files), ArtifactStore(files)

    def spec(self, code: str, key: str = KEY, attempt: int = 1, **train: Any) -> RunSpec:
        root = self.data / "folders" / key
        (root / MODEL).mkdir(parents=True, exist_ok=True)
        (root / MODEL / "train.py").write_text(textwrap.dedent(code))
        return RunSpec(
            run=key,
            attempt=attempt,
            model=MODEL,
            commit="c" * 40,
            code_key="d" * 12,
            train=msgspec.convert(train, Train),
            root=str(root),
            home=str(self.data / "runs" / key),
            data_dir=str(self.data),
            artifacts=self.artifacts,
            log_bytes=2**20,
        )

    def result(self, key: str = KEY, attempt: int = 1) -> AttemptResult | None:
        content = self.records.get(MODEL, key, attempt_record(attempt))
        return None if content is None else msgspec.json.decode(content, type=AttemptResult)

    def train(self, code: str, **train: Any) -> AttemptResult:
        """The whole of one attempt."""
        spec = self.spec(code, **train)
        self.local.begin(spec)
        self.await_end(spec)
        result = self.result()
        assert result is not None, (self.local.folder(KEY, 1) / "trainer.log").read_text()
        return result

    def await_end(self, spec: RunSpec, seconds: float = 100) -> None:
        until(lambda: spec.run not in self.local.running(), seconds)


def until(holds: Callable[[], object], seconds: float = 100) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
