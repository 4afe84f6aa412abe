"""What a run left, as the store of training results says."""

from __future__ import annotations

import re

import msgspec

from core.release import Artifact
from core.runs.runs import RunResult
from loader.artifacts.records import RunRecords
from trainer.records.record_names import verdict


def artifact_of(records: RunRecords, model: str, run: str) -> Artifact | None:
    """Of a run that is over, whoever accepted it or did not. Blocks. Raises StoreUnavailable."""
    if not re.fullmatch("[0-9a-f]{12}", run):
        return None
    name = verdict(records.names(model, run))
    content = None if name is None else records.get(model, run, name)
    if content is None:
        return None
    result = msgspec.json.decode(content, type=RunResult)
    return Artifact(result.artifact, run) if result.artifact else None
