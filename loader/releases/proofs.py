"""What came of releases when they were started and proven: kept on disk, since it can't be told from git."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from core.release import Release

log = logging.getLogger("pawl.loader")

_KEPT = 50
"""Of each model."""
_MOST_BYTES = 1024 * 1024
"""Of one, to be read; what is written is far less."""
_ANSWERS_BYTES = 64 * 1024
_NAME = re.compile(r"[0-9a-f]{8,64}")


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One example, and what was answered to it."""

    variables: Any = None
    answer: Any = None
    seconds: float = 0.0
    fault: str | None = None
    """What was wrong with it; None if nothing was."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """Why it did not become ready."""

    stage: str
    message: str
    detail: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the last start of one release."""

    at: datetime
    environment: str | None = None
    """Its id; None: Pawl's own, or none was made."""
    packages: Mapping[str, str] = {}
    """The distributions that are really in it; none where none was made."""
    size_bytes: int | None = None
    """Of its files."""
    passed: int = 0
    failed: int = 0
    """Examples."""
    answers: Sequence[Answered] = ()
    seconds: Mapping[str, float] = {}
    """That each step took."""
    failure: Broken | None = None


class ProofStore:
    """`root`/<model>/<release id>.json, a bounded number of bounded files. For any thread."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, model: str, release: str) -> Proof | None:
        """None where it was never started here, or too long ago."""
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            path = self._path(model, release)
            if path is not None and path.stat().st_size <= _MOST_BYTES:
                return msgspec.json.decode(path.read_bytes(), type=Proof)
        return None

    def put(self, release: Release, proof: Proof) -> None:
        """In place of what there was. What can't be written is only logged: nothing is served by it."""
        path = self._path(release.model, release.id)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, msgspec.json.encode(bounded(proof)))
            _forget_oldest(path.parent)
        except OSError as error:
            log.warning("%s can't be written, so its version tells less of itself: %s", path, error)

    def prune_models(self, keep: Collection[str]) -> None:
        """Forget the models that are not in `keep`. Raises OSError."""
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)

    def _path(self, model: str, release: str) -> Path | None:
        if not model or model.startswith(".") or "/" in model or not _NAME.fullmatch(release):
            return None
        return self._root / model / f"{release}.json"


def bounded(proof: Proof) -> Proof:
    """With no more answers than are kept: the first ones, and of large ones only that there were some."""
    kept: list[Answered] = []
    left = _ANSWERS_BYTES
    for answered in proof.answers:
        left -= len(msgspec.json.encode(answered))
        if left < 0:
            break
        kept.append(answered)
    return msgspec.structs.replace(proof, answers=kept)


def _write(path: Path, content: bytes) -> None:
    handle, aside = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise


def _forget_oldest(folder: Path) -> None:
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if len(files) <= _KEPT:
        return
    for path in sorted(files, key=lambda path: path.stat().st_mtime)[: len(files) - _KEPT]:
        path.unlink(missing_ok=True)
