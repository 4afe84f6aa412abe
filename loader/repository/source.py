"""Models from a git repository."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import Heals, ReleaseFailed, SourceError, VersionNotFound
from core.release import Desired, Release, Version, Wanted
from loader.files.checkout import check_out
from loader.files.folders import REQUIREMENTS, Folder, Folders, no_model
from loader.files.objects import Commit, Entry, MirrorDamaged, Objects
from loader.files.tree import DEFAULT_BOUNDS, Bounds
from loader.repository.git import MirrorObjects
from loader.repository.history import History, folder_of
from loader.repository.lfs import LfsStore
from loader.repository.mirror import Mirror
from loader.repository.remote import Remote


class GitSource:
    """Follows a branch of `remote`, by way of a bare mirror in `data`."""

    def __init__(self, remote: Remote, data: Path, bounds: Bounds = DEFAULT_BOUNDS) -> None:
        self._remote = remote
        self._mirror = Mirror(data / "mirror.git", remote, data / "run")
        self._lfs = LfsStore(data / "mirror.git" / "lfs" / "objects", remote)
        self._bounds = bounds
        self._reading = threading.Lock()
        """Held to look at or change what is below; never while git talks to the remote."""
        self._history = History(remote.segments)
        self._looked_at: dict[str, Folder] = {}
        self._desired: Desired | None = None

    @property
    def where(self) -> str:
        branch = f" at {self._remote.branch}" if self._remote.branch else ""
        folder = f" in {self._remote.folder}" if self._remote.segments else ""
        return f"{self._remote.address.url}{branch}{folder}"

    @property
    def seen(self) -> Mapping[str, list[str]]:
        return {}

    def start(self, changed: Callable[[], object]) -> None:
        """Nothing to watch: timers and webhooks say when to look."""

    def look(self) -> Desired:
        head = self._mirror.fetch()
        try:
            return self._read(head)
        except MirrorDamaged as damage:
            return self._read_anew(damage)

    def check_out(self, release: Release, into: Path) -> None:
        try:
            with self._mirror.reading() as objects:
                check_out(release, into, objects, self._lfs, self._bounds)
        except MirrorDamaged as damage:
            raise ReleaseFailed(
                f"the mirror of {self._remote.address.url} lacks a file of {release.model}: {damage}",
                stage="checkout",
                heals=Heals.WITH_MACHINE,
            ) from damage

    def resolve(self, model: str, name: str) -> Wanted:
        try:
            with self._reading, self._mirror.reading() as objects:
                if self._history.head is None:  # nobody has looked yet; else an unknown name needs no git at all
                    self._follow(self._mirror.head(objects), objects)
                version, commit = self._history.find(model, name)
                folders = self._folders(commit, objects)
                if not folders.is_model(model):
                    raise VersionNotFound(f"{model} is no model at {name} (commit {commit.id})")
                return _wanted(model, version, folders)
        except MirrorDamaged as damage:
            raise VersionNotFound(f"{model}/{name} can't be read from the mirror now: {damage}") from damage

    def close(self) -> None:
        self._mirror.close()

    def _read(self, head: str) -> Desired:
        with self._reading:
            if self._desired is None or self._desired.head != head:
                self._desired = None
                left_behind = self._follow(head, self._mirror.objects)
                self._desired = replace(self._desire(head), left_behind=left_behind)
            return self._desired

    def _read_anew(self, damage: MirrorDamaged) -> Desired:
        with self._reading:
            self._history = History(self._remote.segments)
            self._looked_at.clear()
        head = self._mirror.rebuild(damage)
        try:
            return self._read(head)
        except MirrorDamaged as again:
            raise SourceError(f"{self._remote.address.url} can't be read, not even fetched anew: {again}") from again

    def _follow(self, head: str | None, objects: MirrorObjects) -> str:
        """Bring the history up to `head`; returns the head before if this one leaves it behind."""
        known = self._history.head
        if head is None or head == known:
            return ""
        if known is None:
            self._history = self._recount(head, objects)
        elif not self._grow(head, known, objects):
            self._history = self._recount(head, objects)
            return known
        return ""

    def _grow(self, head: str, known: str, objects: MirrorObjects) -> bool:
        """Whether `head` descends from `known`, so that the history could be added to."""
        history, self._history = self._history, History(self._remote.segments)
        try:
            commits = objects.log(head, known)
        except MirrorDamaged:
            # What was known is gone from a mirror that was fetched anew.
            return False
        if not history.extends(commits):
            return False
        history.grow(commits, objects)
        self._history = history
        return True

    def _recount(self, head: str, objects: MirrorObjects) -> History:
        history = History(self._remote.segments)
        history.grow(objects.log(head, None), objects)
        return history

    def _desire(self, head: str) -> Desired:
        folders = self._folders(self._history.newest, self._mirror.objects)
        names, left_out = folders.models()
        if not names:
            raise SourceError(no_model(f"{self.where} at commit {head[:12]}", left_out))
        return Desired(head, {name: _wanted(name, self._history.version(name), folders) for name in names}, left_out)

    def _folders(self, commit: Commit, objects: Objects) -> Folders:
        root = _entries(commit.tree, objects)
        tree = folder_of(commit.tree, self._remote.segments, objects)
        entries = _entries(tree, objects) if tree else {}
        requirements = (found[REQUIREMENTS] for found in (entries, root) if REQUIREMENTS in found)
        default = next((entry.id for entry in requirements if entry.is_file), None)
        return Folders(entries, default, objects, self._looked_at)


def _wanted(model: str, version: Version, folders: Folders) -> Wanted:
    try:
        return Wanted(model, version, folders.release(model))
    except ReleaseFailed as failure:
        return Wanted(model, version, None, failure)


def _entries(tree: str, objects: Objects) -> Mapping[str, Entry]:
    return {entry.name.decode("utf-8", "surrogateescape"): entry for entry in objects.tree(tree)}
