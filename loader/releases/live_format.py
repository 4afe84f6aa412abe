"""How `live.json` is written: entries that are read and written each apart, so that one costs none of the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from core.errors import ReleaseFailed
from core.manifest.manifest import Manifest
from core.release import Artifact, Candidate, Release, Revision, Served, Version

log = logging.getLogger("pawl.loader")


class LiveEntry(msgspec.Struct, frozen=True):
    """A release that was live."""

    release: str
    version: int
    commit: str
    manifest: Manifest
    folders: dict[str, str]
    default_requirements: str | None = None
    revision: str = ""
    """Empty: the release is the revision alone."""
    code_key: str | None = None
    artifact: str = ""
    run: str = ""


class HeadEntry(msgspec.Struct, frozen=True):
    """A model at the followed head."""

    version: int
    commit: str
    revision: LiveEntry | None = None
    failure: str = ""
    stage: str = ""


class RejectedEntry(msgspec.Struct, frozen=True):
    releases: list[str] = []
    runs: list[str] = []
    pinned: list[str] = []


class ArtifactEntry(msgspec.Struct, frozen=True):
    artifact: str
    run: str


class LiveJson(msgspec.Struct, frozen=True):
    """All of the file. One of the first edition has no more than what was live."""

    source: str = ""
    live: dict[str, msgspec.Raw] = {}
    """A `LiveEntry` of each model."""
    earlier: dict[str, list[msgspec.Raw]] = {}
    """What was live before those, the latest first."""
    heads: dict[str, msgspec.Raw] = {}
    """A `HeadEntry` of each model."""
    pins: dict[str, msgspec.Raw] = {}
    rejections: dict[str, RejectedEntry] = {}
    targets: dict[str, msgspec.Raw] = {}
    """What rollbacks went back to."""
    artifacts: dict[str, list[ArtifactEntry]] = {}
    """The accepted ones by code key, the newest first."""
    seen: dict[str, list[str]] = {}
    forgotten: dict[str, int] = {}


_T = TypeVar("_T")


def read_live(model: str, raw: msgspec.Raw) -> Served | None:
    entry = read_entry(model, raw, LiveEntry)
    return None if entry is None else _served(model, entry)


def read_head(model: str, raw: msgspec.Raw) -> Candidate | None:
    entry = read_entry(model, raw, HeadEntry)
    if entry is None:
        return None
    version = Version(entry.version, entry.commit)
    if entry.revision is None:
        return Candidate(model, version, None, ReleaseFailed(entry.failure, stage=entry.stage))
    return Candidate(model, version, _served(model, entry.revision).release.revision)


def read_entry(model: str, raw: msgspec.Raw, type: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(raw, type=type)
    except (ValueError, RecursionError) as error:
        log.error("%s: what live.json says of it can't be read (%s); it starts when it is looked for", model, error)
        return None


def write_live(served: Served) -> msgspec.Raw | None:
    return _write(served.release.model, _live_entry(served))


def write_head(head: Candidate) -> msgspec.Raw | None:
    version, failure = head.version, head.failure
    revision = None if head.revision is None else _live_entry(Served(Release(head.revision), version))
    told = ("", "") if failure is None else (str(failure), failure.stage)
    return _write(head.model, HeadEntry(version.number, version.commit, revision, *told))


def _write(model: str, entry: LiveEntry | HeadEntry) -> msgspec.Raw | None:
    try:
        return msgspec.Raw(msgspec.json.encode(entry))
    except (ValueError, TypeError, RecursionError):
        log.exception("%s: it can't be written down, so a restart would serve what was live before", model)
        return None


def _live_entry(served: Served) -> LiveEntry:
    release, version = served
    revision, artifact = release.revision, release.artifact
    return LiveEntry(
        release=release.id,
        version=version.number,
        commit=version.commit,
        manifest=revision.manifest,
        folders=dict(revision.folders),
        default_requirements=revision.default_requirements,
        revision=revision.id,
        code_key=revision.code_key,
        artifact="" if artifact is None else artifact.id,
        run="" if artifact is None else artifact.run,
    )


def _served(model: str, entry: LiveEntry) -> Served:
    revision = Revision(
        model,
        entry.revision or entry.release,
        entry.manifest,
        entry.folders,
        entry.default_requirements,
        entry.code_key,
    )
    artifact = Artifact(entry.artifact, entry.run) if entry.artifact else None
    return Served(Release(revision, artifact), Version(entry.version, entry.commit))


def artifacts_of(entries: Mapping[str, list[ArtifactEntry]]) -> dict[str, tuple[Artifact, ...]]:
    return {key: tuple(Artifact(one.artifact, one.run) for one in found) for key, found in entries.items()}
