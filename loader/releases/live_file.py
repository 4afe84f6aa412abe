"""`live.json`: the releases that were live last, so that a restart can serve before it asks anybody."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from core.manifest import Manifest
from core.release import Release, Revision, Version

log = logging.getLogger("pawl.loader")

_SEEN = 1000
"""Releases of a model remembered in local mode."""

Change = tuple[Release, Version] | None
"""What a model is live with from now on; None: it has gone."""
Seen = Mapping[str, list[str]]
"""Releases of each model in the order they came: what local mode numbers versions by."""


class Entry(msgspec.Struct, frozen=True):
    release: str
    version: int
    commit: str
    manifest: Manifest
    folders: dict[str, str]
    default_requirements: str | None = None


class _File(msgspec.Struct, frozen=True):
    source: str = ""
    live: dict[str, msgspec.Raw] = {}
    """Entries as they are written, each read and written apart: one that can't be costs none of the others."""
    seen: dict[str, list[str]] = {}
    forgotten: dict[str, int] = {}


class LiveFile:
    """Holds what is live, and writes it down at every change. For one thread at a time."""

    def __init__(self, path: Path, source: str) -> None:
        """`source`: what is followed; what another source left there is not served."""
        self._path = path
        file = _read(path)
        self._file = file if file.source == source else _File(source=source)
        self._unwritten = False

    def live(self) -> dict[str, tuple[Release, Version]]:
        read = {model: _entry(model, raw, self._path) for model, raw in self._file.live.items()}
        return {model: _release(model, entry) for model, entry in read.items() if entry is not None}

    @property
    def seen(self) -> dict[str, list[str]]:
        """The last releases of each model in the order they came: what local mode numbers versions by."""
        return {model: list(ids) for model, ids in self._file.seen.items()}

    @property
    def forgotten(self) -> dict[str, int]:
        """How many releases of each model came before those in `seen`."""
        return {model: self._forgotten(model, ids) for model, ids in self._file.seen.items()}

    def put(
        self,
        release: Release,
        version: Version,
        seen: Seen | None = None,
        forgotten: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.update({release.model: (release, version)}, seen, forgotten)

    def remove(self, model: str) -> None:
        self.update({model: None})

    def update(
        self,
        changes: Mapping[str, Change],
        seen: Seen | None = None,
        forgotten: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Write all of it in one go. Raises OSError, after which `write_again` is to be called."""
        live = dict(self._file.live)
        for model, change in changes.items():
            if change is None:
                live.pop(model, None)
            elif (raw := _raw(model, *change)) is not None:
                live[model] = raw
        if seen is None:
            self._write(msgspec.structs.replace(self._file, live=live))
        else:
            last = {model: ids[-_SEEN:] for model, ids in seen.items()}
            counts = {model: forgotten.get(model, 0) + len(ids) - len(last[model]) for model, ids in seen.items()}
            self._write(_File(source=self._file.source, live=live, seen=last, forgotten=counts))

    def write_again(self) -> None:
        """Write what could not be written when it was due. Raises OSError."""
        if self._unwritten:
            self._write(self._file)

    def _forgotten(self, model: str, ids: list[str]) -> int:
        """A file from before this was counted tells it by the number of what is live."""
        entry = _entry(model, self._file.live[model], self._path) if model in self._file.live else None
        told = entry.version - len(ids) if entry is not None else 0
        return self._file.forgotten.get(model, max(0, told))

    def _write(self, file: _File) -> None:
        if file == self._file and not self._unwritten:
            return
        self._file, self._unwritten = file, True
        aside = self._path.with_suffix(".tmp")
        with open(aside, "wb", opener=_for_us_alone) as out:
            out.write(msgspec.json.format(msgspec.json.encode(file)))
            out.flush()
            os.fsync(out.fileno())
        aside.replace(self._path)
        self._unwritten = False


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _read(path: Path) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return _File()
    except (ValueError, OSError, RecursionError) as error:
        log.error("%s can't be read (%s); starting without the last-known-good set", path, error)
        return _File()


def _entry(model: str, raw: msgspec.Raw, path: Path) -> Entry | None:
    try:
        return msgspec.json.decode(raw, type=Entry)
    except (ValueError, RecursionError) as error:
        log.error("%s: what %s says of it can't be read (%s); it starts when it is looked for", model, path, error)
        return None


def _raw(model: str, release: Release, version: Version) -> msgspec.Raw | None:
    entry = Entry(
        release=release.id,
        version=version.number,
        commit=version.commit,
        manifest=release.manifest,
        folders=dict(release.revision.folders),
        default_requirements=release.revision.default_requirements,
    )
    try:
        return msgspec.Raw(msgspec.json.encode(entry))
    except (ValueError, TypeError, RecursionError):
        log.exception("%s: it can't be written down, so a restart would serve what was live before", model)
        return None


def _release(model: str, entry: Entry) -> tuple[Release, Version]:
    revision = Revision(model, entry.release, entry.manifest, entry.folders, entry.default_requirements)
    return Release(revision), Version(entry.version, entry.commit)
