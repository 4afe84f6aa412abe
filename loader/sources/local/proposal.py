"""A change of a model's folder on this machine that is not made yet."""

from __future__ import annotations

import filecmp
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from core.errors import SourceError
from core.release import Candidate, Revision, Snapshot
from loader.files.model_folders import MANIFEST, REQUIREMENTS, can_be_used, looks_like_model, uses_named
from loader.sources.changes import Change, NotWritable


class Looked(Protocol):
    """A source of the folder that the model will be in."""

    def look(self) -> Snapshot: ...

    def check_out(self, revision: Revision, into: Path) -> None: ...

    def close(self) -> None: ...


def check_place(place: Path, change: Change) -> None:
    """No git brings back what is replaced here, so that is a model's folder and nothing else.

    Raises NotWritable, SourceError.
    """
    if place.is_symlink():
        raise NotWritable(f"{place} is a link to a folder elsewhere, which is not changed from here; change it there")
    if change.keeps_others or not place.exists():
        return
    if not place.is_dir():
        raise NotWritable(f"{place} is a file; move it away first, or choose another name")
    try:
        names = {path.name for path in place.iterdir()}
    except OSError as error:
        raise SourceError(f"{place} can't be read: {error.strerror}") from error
    if ".git" in names:
        raise NotWritable(f"{place} is a git repository of its own, which would go with its history; change it there")
    if names and not looks_like_model(names):
        raise NotWritable(f"{place} holds files and no model; move it away first, or choose another name")


class LocalProposal:
    """The model as it will be lies in a folder of its own, beside what it shares."""

    def __init__(self, folder: Path, change: Change, open_source: Callable[[Path], Looked]) -> None:
        """`open_source`: follows a folder. Raises SourceError."""
        self._folder = folder
        self._change = change
        self._aside = Path(tempfile.mkdtemp(prefix="pawl-upload-"))
        self._source = open_source(self._aside)
        self.candidate: Candidate | None = None
        if change.files is not None:
            try:
                self._copy(change.files)
            except OSError as error:
                self.close()
                raise SourceError(f"{self._aside} can't be written: {error.strerror}") from error
            self.candidate = self._look()

    @property
    def is_change(self) -> bool:
        whole, place = (folder / self._change.model for folder in (self._aside, self._folder))
        return self._change.files is None or _listed(whole) != _listed(place) or not _holds_the_same(whole, place)

    def check_out(self, revision: Revision, into: Path) -> None:
        self._source.check_out(revision, into)

    def make(self) -> str:
        """The new folder is written beside the old one, which goes at the last moment."""
        place = self._folder / self._change.model
        check_place(place, self._change)
        if self._change.keeps_others and self._change.files is not None:
            self._write(self._change.files, place)
        else:
            self._replace(place)
        revision = None if self.candidate is None else self.candidate.revision
        return "" if revision is None else f"local-{revision.id}"

    def _write(self, files: Path, place: Path) -> None:
        """Each file beside the one before, which it replaces at the last moment."""
        try:
            for file in sorted(path for path in files.rglob("*") if path.is_file()):
                to = place / file.relative_to(files)
                new = to.with_name(f".{to.name}-{secrets.token_hex(4)}")
                shutil.copyfile(file, new)
                new.replace(to)
        except OSError as error:
            raise SourceError(f"{place} can't be written: {error.strerror}") from error

    def _replace(self, place: Path) -> None:
        new, old = (self._folder / f".{self._change.model}-{secrets.token_hex(4)}" for _ in range(2))
        try:
            if self._change.files is not None:
                shutil.copytree(self._change.files, new)
            if place.exists():
                place.rename(old)
            if self._change.files is not None:
                new.rename(place)
        except OSError as error:
            if old.exists() and not place.exists():
                old.rename(place)
            raise SourceError(f"{place} can't be written: {error.strerror}; nothing was changed") from error
        finally:
            shutil.rmtree(new, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)

    def close(self) -> None:
        self._source.close()
        shutil.rmtree(self._aside, ignore_errors=True)

    def _copy(self, files: Path) -> None:
        if self._change.keeps_others:
            shutil.copytree(self._folder / self._change.model, self._aside / self._change.model, symlinks=True)
        shutil.copytree(files, self._aside / self._change.model, dirs_exist_ok=True)
        manifest = self._aside / self._change.model / MANIFEST
        for name in uses_named(manifest.read_bytes() if manifest.is_file() else b""):
            if can_be_used(name) and (self._folder / name).is_dir() and name != self._change.model:
                shutil.copytree(self._folder / name, self._aside / name, symlinks=True)
        if (self._folder / REQUIREMENTS).is_file():
            shutil.copy(self._folder / REQUIREMENTS, self._aside)

    def _look(self) -> Candidate | None:
        try:
            return self._source.look().models.get(self._change.model)
        except SourceError:  # it holds no model
            return None


def _listed(folder: Path) -> dict[str, bool]:
    """What is in the folder that is not a folder itself, and whether it is executable."""
    inside = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix(): os.access(path, os.X_OK) for path in inside}


def _holds_the_same(files: Path, place: Path) -> bool:
    """`place` holds files of the same names."""
    return all(
        (place / name).is_file() and filecmp.cmp(files / name, place / name, shallow=False) for name in _listed(files)
    )
