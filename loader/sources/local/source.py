"""Models from a folder on this machine, taken as soon as they are saved."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from core.errors import Heals, ReleaseFailed, SourceError, VersionNotFound, failure_of_ours
from core.manifest.manifest import Manifest, parse_manifest
from core.release import Candidate, Revision, Snapshot, Version
from loader.files.checkout import write
from loader.files.lfs_pointers import failed, find_pointers
from loader.files.model_folders import MANIFEST, MOST_MANIFEST_BYTES, no_model, printable
from loader.files.tree import DEFAULT_BOUNDS, Bounds
from loader.sources.changes import Change, HeadMoved, ManifestText, too_long_to_edit
from loader.sources.local.contents import Contents, StillChanging
from loader.sources.local.ignored import is_ignored
from loader.sources.local.models import LocalModels
from loader.sources.local.plain_files import open_plain
from loader.sources.local.proposal import LocalProposal, check_place
from loader.sources.local.stable_scans import STABLE_AFTER_S, StableScans
from loader.sources.local.tree import Scan
from loader.sources.local.watch import Watch
from loader.sources.past import Page, PastVersion, Patch, cursor_of, read_cursor

log = logging.getLogger(__name__)


class LocalSource:
    """Follows the folder `folder`. A version's number counts the revisions of the model that were seen.

    `seen` says which those were before, in order, and `forgotten` how many of each model came before these. `only`: the
    one folder of them that is looked at.
    """

    def __init__(
        self,
        folder: Path,
        seen: Mapping[str, list[str]],
        bounds: Bounds = DEFAULT_BOUNDS,
        *,
        only: str | None = None,
        forgotten: Mapping[str, int] = MappingProxyType({}),
        parse: Callable[[bytes], Manifest] = parse_manifest,
    ) -> None:
        self._folder = folder
        self._bounds = bounds
        self._only = only
        self._reading = threading.Lock()
        """Held to look at or change what a look finds."""
        self._closed = threading.Event()
        self._stable_scans = StableScans(folder, bounds, self._closed.wait)
        self._contents = Contents(folder)
        self._models = LocalModels(folder, bounds, parse)
        self._seen = {model: list(ids) for model, ids in seen.items()}
        self._forgotten = dict(forgotten)
        self._wanted: dict[str, Candidate] = {}
        self._revisions: dict[str, Revision] = {}
        self._changed: Callable[[], object] = lambda: None
        self._still_changing = False
        self._threads: list[threading.Thread] = []

    @property
    def where(self) -> str:
        return str(self._folder)

    @property
    def seen(self) -> Mapping[str, list[str]]:
        return {model: list(ids) for model, ids in list(self._seen.items())}

    @property
    def forgotten(self) -> Mapping[str, int]:
        return dict(self._forgotten)

    def start(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        watch = Watch(self._folder, lambda: self._stable_scans.through, changed, self._closed, self._bounds.files)
        self._run(watch.run, "watch the models' folder")

    def look(self) -> Snapshot:
        with self._reading:
            try:
                return self._look()
            except OSError as error:
                raise SourceError(f"{self._folder} can't be read: {error.strerror}; check that it is there") from error

    def check_out(self, revision: Revision, into: Path) -> None:
        contents = self._contents.another()
        try:
            files = self._models.files(revision, contents)
            if pointers := [*find_pointers(files, contents.blob).values()]:
                raise failed(
                    pointers[0], "is only the pointer to a file in Git LFS; run git lfs pull", heals=Heals.NEVER
                )
            write(files, revision.folders, into, contents)
        except StillChanging as error:
            raise ReleaseFailed(
                f"{revision.model} in {self._folder} is not what it was when this revision was seen: {error}",
                stage="checkout",
                heals=Heals.WITH_MACHINE,
            ) from error

    def resolve(self, model: str, name: str) -> Candidate:
        with self._reading:
            ids = self._seen.get(model, [])
            numbered = enumerate(ids, 1 + self._forgotten.get(model, 0))
            found = [(number, id) for number, id in numbered if _names(name, number, id)]
            # The same content seen again is the same revision: its newest number is what it is called.
            if found and (revision := self._revisions.get(found[-1][1])):
                return Candidate(model, Version(found[-1][0], f"local-{revision.id}"), revision)
        raise VersionNotFound(
            f"{model} has no version {name[:50]!r} here: a local folder has only those seen since the start"
        )

    def past(self, model: str, limit: int, cursor: str | None = None) -> Page:
        """Those that were seen, by this server and those before it."""
        before = None if cursor is None else read_cursor(cursor)[0]
        with self._reading:
            numbered = list(enumerate(self._seen.get(model, []), 1 + self._forgotten.get(model, 0)))
            newest = {id: number for number, id in numbered}
            left = [
                (number, id)
                for number, id in reversed(numbered)
                if newest[id] == number and (before is None or number < before)
            ]
            page = tuple(PastVersion(self._candidate(model, number, id)) for number, id in left[:limit])
        return Page(page, cursor_of(page[-1].candidate.version) if len(left) > limit else None)

    def tell(self, candidate: Candidate) -> PastVersion:
        return PastVersion(candidate)

    def patch(self, before: Candidate, after: Candidate, most: int) -> Patch | None:
        return None

    def manifest_text(self, model: str) -> ManifestText:
        try:
            with open_plain(self._folder / model / MANIFEST) as file:
                text = file.read(MOST_MANIFEST_BYTES + 1)
        except FileNotFoundError:
            return ManifestText(b"", "")
        except OSError as error:
            raise SourceError(f"{self._folder / model / MANIFEST} can't be read: {error.strerror}") from error
        if len(text) > MOST_MANIFEST_BYTES:
            raise too_long_to_edit(model, MOST_MANIFEST_BYTES)
        return ManifestText(text, "")

    def propose(self, change: Change) -> LocalProposal:
        head = _head(self._wanted)
        if change.head not in ("", head):
            raise HeadMoved(f"{self.where} is at {head}, and no longer at {change.head[:60]}")
        check_place(self._folder / change.model, change)
        return LocalProposal(
            self._folder, change, lambda folder: LocalSource(folder, {}, self._bounds, only=change.model)
        )

    def close(self) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join()

    def _look(self) -> Snapshot:
        models, left_out = self._found()
        if not models:
            raise SourceError(no_model(self.where, left_out, "set gitPath to a repository of them"))
        scans = self._stable_scans.stable(self._models.parts(models))
        self._still_changing = False
        wanted = {model: self._want(model, scans) for model in models}
        self._contents.forget(but=(one for found in scans.values() for one in found.seen))
        self._wanted = {model: one for model, one in wanted.items() if one is not None}
        if self._still_changing:
            self._run(self._look_again, "look again")
        waiting = dict.fromkeys((model for model in models if wanted[model] is None), _BEING_WRITTEN)
        return Snapshot(_head(self._wanted), self._wanted, left_out | waiting)

    def _found(self) -> tuple[list[str], dict[str, str]]:
        """The names of the models, and the folders that look like models but are left out, with the reason."""
        names = sorted(name for name in os.listdir(self._folder) if self._only in (None, name) and not is_ignored(name))
        reasons = {name: self._models.why_left_out(name) for name in names if self._models.is_model(name)}
        # One that was a model fails with the reason, and what is live of it stays live.
        models = [name for name, reason in reasons.items() if reason is None or name in self._seen]
        left_out = {name: reason for name, reason in reasons.items() if reason and name not in models}
        others = {name: reason for name in names if name not in reasons and (reason := self._models.misnamed(name))}
        return models, {printable(name): reason for name, reason in {**left_out, **others}.items()}

    def _want(self, model: str, scans: Mapping[str, Scan]) -> Candidate | None:
        """What is wanted of the model; as long as somebody writes to it, what was wanted before."""
        try:
            revision = self._models.revision(model, scans, self._contents)
        except StillChanging:
            self._still_changing = True
            return self._wanted.get(model)
        except ReleaseFailed as failure:
            id = self._models.failed_id(model, scans, self._contents, failure)
            return Candidate(model, self._version(model, id), None, failure)
        except Exception as error:
            log.exception("%s: a failure of Pawl's own while looking at it", model)
            ours = failure_of_ours(error)
            id = self._models.failed_id(model, {}, self._contents, ours)
            return Candidate(model, self._version(model, id), None, ours)
        self._revisions[revision.id] = revision
        return Candidate(model, self._version(model, revision.id), revision)

    def _candidate(self, model: str, number: int, id: str) -> Candidate:
        """A version that was seen; of one from before the start nothing is known but its name."""
        version = Version(number, f"local-{id}")
        wanted = self._wanted.get(model)
        if wanted is not None and wanted.version == version:
            return wanted
        return Candidate(model, version, self._revisions.get(id) or Revision(model, id, Manifest(), {}))

    def _version(self, model: str, id: str) -> Version:
        ids = self._seen.setdefault(model, [])
        if ids[-1:] != [id]:
            ids.append(id)
            self._forget(model, ids)
        return Version(self._forgotten.get(model, 0) + len(ids), f"local-{id}")

    def _forget(self, model: str, ids: list[str]) -> None:
        """Remember no more than the last revisions; that there were others is counted."""
        gone = ids[:-MOST_SEEN]
        del ids[:-MOST_SEEN]
        self._forgotten[model] = self._forgotten.get(model, 0) + len(gone)
        for id in {*gone} - {*ids}:
            self._revisions.pop(id, None)

    def _run(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads = [*(other for other in self._threads if other.is_alive()), thread]
        thread.start()

    def _look_again(self) -> None:
        if not self._closed.wait(STABLE_AFTER_S):
            self._changed()


MOST_SEEN = 1000
"""Revisions of a model that are remembered."""
_BEING_WRITTEN = "being written to; it is taken when that ends"
_COMMIT = re.compile(r"(local-)?([0-9a-f]{7,40})")


def _names(name: str, number: int, id: str) -> bool:
    prefix = _COMMIT.fullmatch(name)
    return name == f"v{number}" or (prefix is not None and id.startswith(prefix[2]))


def _head(wanted: Mapping[str, Candidate]) -> str:
    return sha256(repr([(model, one.version) for model, one in sorted(wanted.items())]).encode()).hexdigest()[:20]
