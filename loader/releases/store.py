"""Releases on disk: each is complete or absent, and is never edited."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from pathlib import Path
from typing import Protocol

from core.errors import ArtifactDamaged, ArtifactGone, Heals, ReleaseFailed, ReleaseGone, StoreUnavailable
from core.folders import remove_tree
from core.release import Artifact, Release
from loader.files.checkout import sync
from loader.files.file_list import is_whole
from loader.releases.overlay import lay_over
from loader.sources.source import Files


class Artifacts(Protocol):
    """Where the files are that runs left."""

    def fetch(self, id: str, into: Path) -> object:
        """Write the artifact's files into the empty folder `into`.

        Raises StoreUnavailable, ArtifactGone, ArtifactDamaged.
        """
        ...


class ReleaseStore:
    """`root`/<model>/<release id>/. One daemon uses it at a time; its threads may all at once."""

    def __init__(self, root: Path, artifacts: Artifacts | None = None) -> None:
        """`artifacts`: None where no release has one."""
        self._root = root
        self._artifacts = artifacts
        root.mkdir(parents=True, exist_ok=True)
        for unfinished in [*root.glob(f"*/{_ASIDE}*"), *root.glob(f"{_ASIDE}*")]:
            remove_tree(unfinished)

    def take_artifacts_from(self, artifacts: Artifacts | None) -> None:
        """Of the releases that are put from now on."""
        self._artifacts = artifacts

    def path(self, release: Release) -> Path:
        return self._root / _checked(release.model) / _checked(release.id)

    def put(self, release: Release, source: Files) -> Path:
        """The release's folder, checked out of `source` unless it is there and whole. Raises ReleaseFailed."""
        path = self.path(release)
        try:
            if path.is_dir() and not is_whole(path):
                _remove_out_of_sight(path)
            if not path.is_dir():
                self._build(release, source, path)
            os.utime(path)
        except OSError as error:
            raise _failure(path, error) from error
        return path

    def newest(self, model: str, most: int) -> list[str]:
        """Ids of the model's releases that were put or asked for last, the latest first."""
        return [path.name for path in sorted(self.roots(model), key=_changed_at, reverse=True)[:most]]

    def models(self) -> list[str]:
        """Those that have releases here."""
        return [path.name for path in _visible(self._root)]

    def roots(self, model: str) -> list[Path]:
        """The model's releases."""
        return _visible(self._root / _checked(model))

    def changed_at(self, model: str) -> int:
        """When one of the model's releases last came or went, in nanoseconds by the file system's clock."""
        try:
            return (self._root / _checked(model)).stat().st_mtime_ns
        except OSError:
            return 0

    def prune(self, model: str, keep: set[str]) -> None:
        """Remove the model's releases but those whose ids are in `keep`."""
        _remove_others(self._root / _checked(model), keep)

    def prune_models(self, keep: set[str]) -> None:
        """Remove the models that are not in `keep`."""
        _remove_others(self._root, keep)

    def _build(self, release: Release, source: Files, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=path.parent))
        try:
            source.check_out(release.revision, aside)
            if release.artifact is not None:
                self._lay_over(release.artifact, aside, release.model)
            _rename_into_place(aside, path)
            sync(path.parent)
            sync(self._root)
        finally:
            remove_tree(aside)

    def _lay_over(self, artifact: Artifact, root: Path, model: str) -> None:
        fetched = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=root.parent))
        try:
            self._fetch(artifact, fetched)
            lay_over(root, model, fetched)
        finally:
            remove_tree(fetched)

    def _fetch(self, artifact: Artifact, into: Path) -> None:
        try:
            if self._artifacts is None:
                raise ArtifactGone(f"there is no store to have the artifact {artifact.id} from")
            self._artifacts.fetch(artifact.id, into)
        except StoreUnavailable as error:
            raise ReleaseFailed(str(error), stage="checkout", heals=Heals.WITH_MACHINE) from error
        except ArtifactGone as error:
            raise ReleaseGone(
                f"what run {artifact.run} left is no longer kept (artifact {artifact.id}); "
                f"`pawl runs retry {artifact.run}` trains it again"
            ) from error
        except ArtifactDamaged as error:
            raise ReleaseFailed(str(error), stage="checkout") from error


_ASIDE = ".tmp-"
_HOPELESS = frozenset({errno.ENAMETOOLONG, errno.EILSEQ})


def _failure(path: Path, error: OSError) -> ReleaseFailed:
    if error.errno in _HOPELESS:
        name = error.filename or path
        return ReleaseFailed(
            f"the disk that holds DATA_DIR takes no file named {str(name)!r}: {error.strerror}; rename it",
            stage="checkout",
        )
    return ReleaseFailed(
        f"{path} could not be written: {error.strerror or error}; check the disk that holds DATA_DIR",
        stage="checkout",
        heals=Heals.WITH_MACHINE,
    )


def _rename_into_place(aside: Path, path: Path) -> None:
    try:
        aside.rename(path)
    except OSError:
        if not path.is_dir():
            raise
        # Another thread was faster, with the same content.


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def _remove_others(folder: Path, keep: set[str]) -> None:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name not in keep and not path.name.startswith(_ASIDE):
            _remove_out_of_sight(path)


def _remove_out_of_sight(path: Path) -> None:
    """So that one half removed is not taken for whole."""
    remove_tree(path.rename(path.with_name(f"{_ASIDE}{path.name}-{time.monotonic_ns()}")))


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _checked(name: str) -> str:
    if not name or name.startswith(".") or "/" in name:
        raise ValueError(f"{name!r} is not a valid name of a folder")
    return name
