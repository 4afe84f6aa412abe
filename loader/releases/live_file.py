"""`live.json`: what was live last, and what decided over it, so that a restart can serve before it asks anybody."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from core.decisions import Decisions, Rejected
from core.release import Candidate, Release, Served, Version
from loader.releases.live_format import (
    ArtifactEntry,
    LiveEntry,
    LiveJson,
    RejectedEntry,
    artifacts_of,
    read_entry,
    read_head,
    read_live,
    write_head,
    write_live,
)

log = logging.getLogger("pawl.loader")

MOST_LIVE = 3
"""Releases of a model that are remembered to have been live."""
_SEEN = 1000
"""Revisions of a model remembered in local mode."""
_MOST_ARTIFACTS = 20
"""Of one code key."""

Change = tuple[Served, ...] | None
"""What a model is live with from now on, and what it was before, the latest first; None: it has gone."""
Seen = Mapping[str, list[str]]
"""Revisions of each model in the order they came: what local mode numbers versions by."""


class LiveFile:
    """Holds what is live, and writes it down at every change. For one thread at a time."""

    def __init__(self, path: Path, source: str) -> None:
        """`source`: what is followed; what another source left there is not served."""
        self._path = path
        file = _read(path)
        self._file = file if file.source == source else LiveJson(source=source)
        self._unwritten = False

    def live(self) -> dict[str, Served]:
        return {model: served[0] for model, served in self.last_live().items()}

    def last_live(self) -> dict[str, tuple[Served, ...]]:
        """Of each model what is live, and what was before it, the latest first."""
        found: dict[str, tuple[Served, ...]] = {}
        for model, raw in self._file.live.items():
            if (live := read_live(model, raw)) is not None:
                earlier = (read_live(model, one) for one in self._file.earlier.get(model, ()))
                found[model] = (live, *(one for one in earlier if one is not None))
        return found

    def heads(self) -> dict[str, Candidate]:
        """The models as they were at the followed head when it was looked at last."""
        read = (read_head(model, raw) for model, raw in self._file.heads.items())
        return {head.model: head for head in read if head is not None}

    def decisions(self) -> Decisions:
        rejections = self._file.rejections.items()
        return Decisions(
            pins=_read_all(self._file.pins),
            rejections={model: _read_rejected(entry) for model, entry in rejections},
            targets=_read_all(self._file.targets),
            artifacts=artifacts_of(self._file.artifacts),
        )

    @property
    def seen(self) -> dict[str, list[str]]:
        """The last revisions of each model in the order they came: what local mode numbers versions by."""
        return {model: list(ids) for model, ids in self._file.seen.items()}

    @property
    def forgotten(self) -> dict[str, int]:
        """How many revisions of each model came before those in `seen`."""
        return {model: self._forgotten(model, ids) for model, ids in self._file.seen.items()}

    def put(
        self,
        release: Release,
        version: Version,
        seen: Seen | None = None,
        forgotten: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.update({release.model: (Served(release, version),)}, seen, forgotten)

    def remove(self, model: str) -> None:
        self.update({model: None})

    def update(
        self,
        changes: Mapping[str, Change],
        seen: Seen | None = None,
        forgotten: Mapping[str, int] = MappingProxyType({}),
        known: tuple[Mapping[str, Candidate], Decisions] | None = None,
    ) -> None:
        """Write all of it in one go. Raises OSError, after which `write_again` is to be called.

        `known`: the models at the followed head, and what decides over them.
        """
        file = _with_changes(self._file, changes)
        if known is not None:
            file = _with_known(file, *known)
        if seen is not None:
            last = {model: ids[-_SEEN:] for model, ids in seen.items()}
            counts = {model: forgotten.get(model, 0) + len(ids) - len(last[model]) for model, ids in seen.items()}
            file = msgspec.structs.replace(file, seen=last, forgotten=counts)
        self._write(file)

    def write_again(self) -> None:
        """Write what could not be written when it was due. Raises OSError."""
        if self._unwritten:
            self._write(self._file)

    def _forgotten(self, model: str, ids: list[str]) -> int:
        """A file from before this was counted tells it by the number of what is live."""
        raw = self._file.live.get(model)
        entry = None if raw is None else read_entry(model, raw, LiveEntry)
        told = entry.version - len(ids) if entry is not None else 0
        return self._file.forgotten.get(model, max(0, told))

    def _write(self, file: LiveJson) -> None:
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


def _read(path: Path) -> LiveJson:
    try:
        return msgspec.json.decode(path.read_bytes(), type=LiveJson)
    except FileNotFoundError:
        return LiveJson()
    except (ValueError, OSError, RecursionError) as error:
        log.error("%s can't be read (%s); starting without the last-known-good set", path, error)
        return LiveJson()


def _with_changes(file: LiveJson, changes: Mapping[str, Change]) -> LiveJson:
    live, earlier = dict(file.live), dict(file.earlier)
    for model, change in changes.items():
        if change is None:
            live.pop(model, None)
            earlier.pop(model, None)
        elif (raw := write_live(change[0])) is not None:
            live[model] = raw
            written = (write_live(one) for one in change[1:])
            earlier[model] = [one for one in written if one is not None]
    return msgspec.structs.replace(file, live=live, earlier=earlier)


def _with_known(file: LiveJson, heads: Mapping[str, Candidate], decisions: Decisions) -> LiveJson:
    written = {model: write_head(head) for model, head in heads.items()}
    rejections = (decisions.rejections or {}).items()
    artifacts = (decisions.artifacts or {}).items()
    return msgspec.structs.replace(
        file,
        heads={model: raw for model, raw in written.items() if raw is not None},
        pins=_write_all(decisions.pins or {}),
        targets=_write_all(decisions.targets or {}),
        rejections={model: _write_rejected(rejected) for model, rejected in rejections},
        artifacts={
            key: [ArtifactEntry(one.id, one.run) for one in found[:_MOST_ARTIFACTS]] for key, found in artifacts
        },
    )


def _read_all(raws: Mapping[str, msgspec.Raw]) -> dict[str, Served]:
    read = {model: read_live(model, raw) for model, raw in raws.items()}
    return {model: served for model, served in read.items() if served is not None}


def _write_all(all_served: Mapping[str, Served]) -> dict[str, msgspec.Raw]:
    written = {model: write_live(served) for model, served in all_served.items()}
    return {model: raw for model, raw in written.items() if raw is not None}


def _read_rejected(entry: RejectedEntry) -> Rejected:
    return Rejected(frozenset(entry.releases), frozenset(entry.runs), frozenset(entry.pinned))


def _write_rejected(rejected: Rejected) -> RejectedEntry:
    return RejectedEntry(sorted(rejected.releases), sorted(rejected.runs), sorted(rejected.pinned))
