"""Runs as values: what is to be trained, what an attempt left, and what became of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from core.manifest.train import Train
from core.runs.states import Reason, RunState

LOG_BYTES = 16 * 2**20
"""What is kept of what an attempt prints, on disk and in the store."""


@dataclass(frozen=True)
class Failure:
    """Why an attempt left no artifact."""

    reason: Reason | None
    message: str
    detail: str = ""
    heals: bool = False
    """Whether another attempt may do better."""
    state: RunState = RunState.FAILED


class RunSpec(msgspec.Struct, frozen=True, kw_only=True):
    """All that an attempt needs to know: `a<attempt>/spec.json`."""

    run: str
    """The run key."""
    attempt: int
    model: str
    commit: str
    code_key: str
    train: Train
    root: str
    """The folder that holds the model's own and those that it uses."""
    home: str
    """The run's folder: `a<attempt>/`, `checkpoint/`."""
    data_dir: str
    artifacts: str = ""
    """Where the artifact store is; empty: in `data_dir`."""
    environment_timeout_s: float = 900.0
    max_artifact_bytes: int = 20_000_000_000
    dataset_cache_bytes: int = 50_000_000_000
    dataset_timeout_s: float = 3600.0
    log_bytes: int = LOG_BYTES
    """What is kept of what the code prints, the middle cut out."""
    dataset_fingerprint: str = ""
    validation_fingerprint: str = ""
    judge: str = ""
    """Artifact that is live, and is to be judged on the same validation data; empty: none."""
    started_by: str = ""
    cores: tuple[int, ...] = ()
    """Processors that it may run on; empty: all."""
    checkpoint: str = ""
    """The folder that survives attempts; empty: in `home`."""
    in_pod: bool = False
    """Whether a pod runs it: then what it prints goes to its container's log too, and the cluster says why it ended."""

    @property
    def folder(self) -> str:
        return f"{self.root}/{self.model}"


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt and its run say alike once they are over."""

    run: str
    model: str
    state: RunState
    commit: str = ""
    code_key: str = ""
    reason: Reason | None = None
    message: str = ""
    detail: str = ""
    """A traceback, or the end of the log."""
    scores: dict[str, float] = {}
    artifact: str = ""
    params: dict[str, Any] = {}
    model_params: dict[str, Any] = {}
    dataset_fingerprint: str = ""
    validation_fingerprint: str = ""
    began_at: datetime | None = None
    ended_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    peak_memory: int = 0
    """Bytes, of the whole tree."""
    cpu_seconds: float = 0.0
    packages: dict[str, str] = {}
    started_by: str = ""


class AttemptResult(_Result, frozen=True, kw_only=True):
    """What one attempt left: `a<attempt>.json`, written last by the attempt, for failures too.

    Its state is `succeeded` (the gates are still to come), `failed`, `cancelled` or `lost`.
    """

    attempt: int
    heals: bool = False
    """Whether another attempt may do better."""
    live_scores: dict[str, float] = {}
    """What `evaluate` said of the live artifact on the same validation data."""
    live_artifact: str = ""
    """The artifact that was judged so."""
    live_message: str = ""
    """Why it could not be judged."""
    running_at: datetime | None = None
    """When the author's code was started."""


class RunResult(_Result, frozen=True, kw_only=True):
    """What became of a run: `result.json`, or `accepted.json` where a person accepted it."""

    compared: str = ""
    """How it compares with what is live, or why it wasn't compared."""
    attempts: int = 0
    """How many there were."""
    queued_at: datetime | None = None
    own: bool = False
    """Whether its params are a person's, not the folder's; such a run never goes live by itself."""


def run_key(code_key: str, dataset_fingerprint: str, validation_fingerprint: str, asked: Mapping[str, Any] = {}) -> str:
    """12 hexadecimal digits: the same for everyone who sees the same.

    `asked`: what a person asked for beyond the folder (`params`), which makes it another run.
    """
    what = (code_key, dataset_fingerprint, validation_fingerprint, *([dict(asked)] if asked else []))
    return sha256(msgspec.json.encode(what, order="deterministic")).hexdigest()[:12]
