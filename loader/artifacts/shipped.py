"""Artifacts that come with the models: made by runs elsewhere, and taken into the store of who serves them."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import msgspec

from core.errors import PawlError
from core.runs.runs import RunResult
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunFiles, RunRecords
from loader.artifacts.store import ArtifactStore

log = logging.getLogger("pawl.loader")

SHIPPED = ".artifacts"
"""A store of its own beside the model folders; its name is that of no model."""
_RESULT = "result.json"


def take_shipped(folder: Path, store: ArtifactStore, records: RunRecords) -> list[str]:
    """Take what `folder` holds into the store, but for runs that it knows already; returns the runs' keys.

    A run's key names the code and data that it is of, so that what is shipped of another state of them serves nothing.
    Raises StoreUnavailable when the store does not do its part; what is wrong with what is shipped is logged.
    """
    if not folder.is_dir():
        return []
    shipped = open_files(folder.absolute().as_uri(), folder)
    artifacts, results = ArtifactStore(shipped), RunRecords(shipped)
    return [run.key for run in results.list() if _take(run, artifacts, results, store, records)]


def _take(
    run: RunFiles, artifacts: ArtifactStore, results: RunRecords, store: ArtifactStore, records: RunRecords
) -> bool:
    content = results.get_listed(run, _RESULT)
    if content is None or records.get_listed(run, _RESULT) is not None:
        return False
    try:
        result = msgspec.json.decode(content, type=RunResult)
        with tempfile.TemporaryDirectory(prefix="pawl-shipped-") as aside:
            files = Path(aside) / "files"
            artifacts.fetch(result.artifact, files)
            store.put(files)
    except (PawlError, msgspec.MsgspecError) as error:
        log.warning("what is shipped of run %s of %s can't be used: %s", run.key, run.model, error)
        return False
    for name in (*(name for name in run.names if name != _RESULT), _RESULT):  # what is taken counts by its result
        if (part := results.get_listed(run, name)) is not None:
            records.put_once(result.model, run.key, name, part)
    return True
