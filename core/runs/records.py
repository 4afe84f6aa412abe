"""What the registry knows of training runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at a run, for searching and history: the artifact store has the same, and can give it back."""

    model: str
    run: str
    """The run key."""
    attempt: int
    state: str
    """One of the training contract's, `queued` to `superseded`."""
    commit: str = ""
    code_key: str = ""
    reason: str = ""
    """Why it did not succeed; empty while nobody knows, and where it did."""
    message: str = ""
    detail: str = ""
    scores: dict[str, float | None] = {}
    compared: str = ""
    """How it compares with what is live, or why it wasn't compared."""
    artifact: str = ""
    params: dict[str, Any] = {}
    model_params: dict[str, Any] = {}
    dataset_fingerprint: str = ""
    validation_fingerprint: str = ""
    queued_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    began_at: datetime | None = None
    ended_at: datetime | None = None
    peak_memory: int = 0
    """Bytes, of the whole tree of processes."""
    cpu_seconds: float = 0.0
    packages: dict[str, str] = {}
    """Distributions really installed, and their versions."""
    started_by: str = ""
