"""`live.json`: the releases that were live last, so that a restart can serve before it asks anybody."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.manifest import Manifest
from core.release import Release, Version

log = logging.getLogger("pawl.loader")

_SEEN = 1000
"""Releases of a model remembered in local mode."""


class Entry(msgspec.Struct, frozen=True):
    release: str
    version: int
    commit: str
    manifest: Manifest
    folders: dict[str, str]
    default_requirements: str | None = None


class _File(msgspec.Struct, frozen=True):
    source: str = ""
    live: dict[str, Entry] = {}
    seen: dict[str, list[str]] = {}


class LastGood:
    """Holds what is live, and writes it down at every change."""

    def __init__(self, path: Path, source: str) -> None:
        """`source`: what is followed; what another source left there is not served."""
        self._path = path
        file = _read(path)
        self._file = file if file.source == source else _File(source=source)
        self._unwritten = False

    def live(self) -> dict[str, tuple[Release, Version]]:
        return {model: _release(model, entry) for model, entry in self._file.live.items()}

    @property
    def seen(self) -> dict[str, list[str]]:
        """Releases of each model in the order they came: what local mode numbers versions by."""
        return {model: list(ids) for model, ids in self._file.seen.items()}

    def put(self, release: Release, version: Version, seen: Mapping[str, list[str]] | None = None) -> None:
        entry = Entry(
            release=release.id,
            version=version.number,
            commit=version.commit,
            manifest=release.manifest,
            folders=dict(release.folders),
            default_requirements=release.default_requirements,
        )
        self._write({**self._file.live, release.model: entry}, seen)

    def remove(self, model: str) -> None:
        self._write({name: entry for name, entry in self._file.live.items() if name != model}, None)

    def write_again(self) -> None:
        """Write what could not be written when it was due. Raises OSError."""
        if self._unwritten:
            self._write(self._file.live, None)

    def _write(self, live: dict[str, Entry], seen: Mapping[str, list[str]] | None) -> None:
        bounded = self._file.seen if seen is None else {model: ids[-_SEEN:] for model, ids in seen.items()}
        file = _File(source=self._file.source, live=live, seen=bounded)
        if file == self._file and not self._unwritten:
            return
        self._file, self._unwritten = file, True
        aside = self._path.with_suffix(".tmp")
        with aside.open("wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(file)))
            out.flush()
            os.fsync(out.fileno())
        aside.replace(self._path)
        self._unwritten = False


def _read(path: Path) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return _File()
    except (ValueError, OSError, RecursionError) as error:
        log.error("%s can't be read (%s); starting without the last-known-good set", path, error)
        return _File()


def _release(model: str, entry: Entry) -> tuple[Release, Version]:
    release = Release(model, entry.release, entry.manifest, entry.folders, entry.default_requirements)
    return release, Version(entry.version, entry.commit)
