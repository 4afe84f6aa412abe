"""Models from a git repository."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from core.errors import Heals, ReleaseFailed, SourceError, VersionNotFound
from core.manifest.manifest import Manifest, parse_manifest
from core.release import Candidate, Revision, Snapshot, Version
from loader.files.checkout import check_out
from loader.files.git_objects import MirrorDamaged, Objects
from loader.files.manifests import Manifests
from loader.files.model_folders import Folder, Folders, no_model
from loader.files.tree import DEFAULT_BOUNDS, Bounds
from loader.sources.changes import Change, HeadMoved, ManifestText
from loader.sources.git.commit_contents import candidate_of, folders_of, manifest_text_of
from loader.sources.git.commits.proposal import GitProposal
from loader.sources.git.commits.push import Push
from loader.sources.git.commits.scratch import open_scratch
from loader.sources.git.history.counting import Counting
from loader.sources.git.history.history import History
from loader.sources.git.history.version_names import VersionNames
from loader.sources.git.lfs.address import LfsAddress
from loader.sources.git.lfs.operator_settings import Operator
from loader.sources.git.lfs.store import LfsStore
from loader.sources.git.mirror.conversation import Conversation
from loader.sources.git.mirror.mirror import Mirror
from loader.sources.git.mirror.mirror_objects import MirrorObjects
from loader.sources.git.past_versions import PATIENCE_S, PastVersions
from loader.sources.git.patches import Patches
from loader.sources.git.remembered import Remembered
from loader.sources.git.remote import Remote
from loader.sources.past import Page, PastVersion, Patch

log = logging.getLogger("pawl.loader")

_MOST_FOUND = 64
_CANDIDATES_KEPT = 2_000
"""Of all models, of which a page shows a hundred."""


class GitSource:
    """Follows a branch of `remote`, by way of a bare mirror in `data`."""

    def __init__(
        self,
        remote: Remote,
        data: Path,
        bounds: Bounds = DEFAULT_BOUNDS,
        *,
        parse: Callable[[bytes], Manifest] = parse_manifest,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`patience_s`: for the versions of one page."""
        self._remote = remote
        self._mirror = Mirror(data / "mirror.git", remote, data / "run")
        operator = Operator(self._mirror.transport.environment)
        address = LfsAddress(remote, self._mirror, operator)
        self._lfs = LfsStore(data / "mirror.git" / "lfs" / "objects", remote, address, operator)
        self._push = Push(remote, Conversation(remote, self._mirror.transport, "the push"))
        self._uploads = data / "uploads"
        self._bounds = bounds
        self._counting = Counting(data / "history", remote.segments)
        self._version_names = VersionNames()
        self._candidates = Remembered[tuple[str, Version, str], Candidate](_CANDIDATES_KEPT)
        self._patches = Patches(remote.segments)
        self._past = PastVersions(self._candidate_at, self._version_names.numbers, patience_s)
        self._looked_at: dict[str, Folder] = {}
        self._parse = parse
        self._manifests = Manifests(parse)
        self._past_manifests = Manifests(parse)
        self._snapshot: Snapshot | None = None
        self._left_behind = ""
        """A head that was left behind by one at which nothing could be snapshot."""
        self._found: deque[Revision | None] = deque(maxlen=_MOST_FOUND)
        """What was asked for by name last."""
        self._changed: Callable[[], object] = lambda: None
        self._boundary = ""
        self._said_shallow = False

    @property
    def where(self) -> str:
        branch = f" at {self._remote.branch}" if self._remote.branch else ""
        folder = f" in {self._remote.folder}" if self._remote.segments else ""
        return f"{self._remote.address.url}{branch}{folder}"

    @property
    def seen(self) -> Mapping[str, list[str]]:
        return {}

    @property
    def forgotten(self) -> Mapping[str, int]:
        return {}

    def start(self, changed: Callable[[], object]) -> None:
        """Timers and webhooks say when to look; only where a file turns out to be damaged does it call itself."""
        self._changed = changed

    def look(self) -> Snapshot:
        with suppress(MirrorDamaged):  # the fetch will mend it
            self._history(self._mirror.objects)  # from where we stopped, so that a rewriting since then is noted
        head = self._mirror.fetch()
        try:
            snapshot = self._read(head)
        except MirrorDamaged as damage:
            snapshot = self._read_anew(damage)
        self._mirror.found_whole()
        return self._without_its_past(snapshot) if self._boundary else snapshot

    def check_out(self, revision: Revision, into: Path) -> None:
        try:
            with self._mirror.reading() as objects:
                check_out(revision, into, objects, self._lfs, self._bounds)
        except MirrorDamaged as damage:
            if self._is_reachable(revision):
                self._mirror.suspect(damage)
                self._changed()
            raise ReleaseFailed(
                f"the mirror of {self._remote.address.url} lacks a file of {revision.model}: {damage}",
                stage="checkout",
                heals=Heals.WITH_MACHINE,
            ) from damage

    def resolve(self, model: str, name: str) -> Candidate:
        try:
            with self._mirror.reading() as objects:
                version, commit = self._version_names.find(model, name, self._history(objects))
                found = self._candidate_at(model, version, commit, {}, objects, Manifests(self._parse))
        except MirrorDamaged as damage:
            raise VersionNotFound(f"{model}/{name} can't be read from the mirror now: {damage}") from damage
        if found is None:
            raise VersionNotFound(f"{model} is not a model at {name} (commit {commit})")
        self._found.append(found.revision)
        return found

    def past(self, model: str, limit: int, cursor: str | None = None) -> Page:
        with self._reading() as (objects, history):
            return self._past.listed(model, limit, cursor, history, objects)

    def tell(self, candidate: Candidate) -> PastVersion:
        with self._reading() as (objects, _):
            return self._past.tell(candidate, objects)

    def patch(self, before: Candidate, after: Candidate, most: int) -> Patch | None:
        with self._reading() as (objects, _):
            return self._patches.read(before, after, objects, most)

    def manifest_text(self, model: str) -> ManifestText:
        with self._reading() as (objects, _):
            return manifest_text_of(model, self._head(objects), self._remote.segments, objects)

    def propose(self, change: Change) -> GitProposal:
        with self._reading() as (objects, history):
            head = self._head(objects)
            number = len(history.touching_of(change.model))
        if change.head not in ("", head):
            raise HeadMoved(f"{self._remote.address.url} is at {head}, and no longer at {change.head[:60]}")
        return self._proposed(change, head, number + 1)

    def _proposed(self, change: Change, head: str, number: int) -> GitProposal:
        repository = open_scratch(self._uploads, self._mirror.path)
        try:
            commit = repository.commit(change, self._remote.segments, head)
            folders = self._folders(commit, repository.objects, {}, Manifests(self._parse))
            version = Version(number, commit)
            candidate = candidate_of(change.model, version, folders) if folders.is_model(change.model) else None
            return GitProposal(candidate, commit, head, repository, self._write, self._push)
        except MirrorDamaged as damage:
            repository.close()
            raise self._unreadable(damage) from damage
        except BaseException:
            repository.close()
            raise

    def _write(self, revision: Revision, into: Path, objects: Objects) -> None:
        check_out(revision, into, objects, self._lfs, self._bounds)

    def close(self) -> None:
        self._push.stop()
        self._counting.stop()
        self._lfs.stop()
        self._mirror.close()

    def _without_its_past(self, snapshot: Snapshot) -> Snapshot:
        """Of a shallow clone: where its history begins, nobody can tell whether it was rewritten."""
        if not self._said_shallow and not self._remote.commit:
            self._said_shallow = True
            log.warning(
                "%s is a shallow clone: versions are counted from the commits that it holds, so that they are lower "
                "than elsewhere and may come again; fetch all of it there (git fetch --unshallow)",
                self._remote.address.url,
            )
        return replace(snapshot, left_behind="")

    def _is_reachable(self, revision: Revision) -> bool:
        """Whether the remote has it for certain: one that was live before history was rewritten may be nowhere."""
        followed = [] if self._snapshot is None else self._snapshot.models.values()
        return revision in self._found or any(one.revision == revision for one in followed)

    @contextmanager
    def _reading(self) -> Iterator[tuple[MirrorObjects, History]]:
        """The mirror as it is now. Raises SourceError where it is damaged, or there is none yet."""
        try:
            with self._mirror.reading() as objects:
                yield objects, self._history(objects)
        except MirrorDamaged as damage:
            raise self._unreadable(damage) from damage

    def _head(self, objects: MirrorObjects) -> str:
        head = self._mirror.head(objects)
        if head is None:
            raise SourceError(f"{self._remote.address.url} was not read yet; try again soon")
        return head

    def _unreadable(self, damage: MirrorDamaged) -> SourceError:
        return SourceError(f"the mirror of {self._remote.address.url} can't be read now: {damage}")

    def _candidate_at(
        self,
        model: str,
        version: Version,
        commit: str,
        looked_at: dict[str, Folder],
        objects: MirrorObjects,
        manifests: Manifests | None = None,
    ) -> Candidate | None:
        """The model as it was at a commit; None where it was none. `manifests`: for any thread but that of the past."""
        if known := self._candidates.get((model, version, commit)):
            return known
        folders = self._folders(commit, objects, looked_at, manifests or self._past_manifests)
        found = candidate_of(model, version, folders) if folders.is_model(model) else None
        if found is not None and found.revision is not None:
            self._candidates.put((model, version, commit), found)
        return found

    def _history(self, objects: MirrorObjects) -> History:
        """The one of the newest look; before the first, of the newest fetch."""
        if self._counting.history.head is None and (head := self._mirror.head(objects)):
            self._counting.follow(head, objects)
        return self._counting.history

    def _read(self, head: str) -> Snapshot:
        boundary = self._mirror.objects.boundary
        if self._snapshot is None or (self._snapshot.head, self._boundary) != (head, boundary):
            self._boundary = boundary
            self._snapshot = None
            self._left_behind = self._counting.follow(head, self._mirror.objects) or self._left_behind
            self._snapshot = replace(self._snapshot_of(head), left_behind=self._left_behind)
            self._left_behind = ""
        return self._snapshot

    def _read_anew(self, damage: MirrorDamaged) -> Snapshot:
        self._looked_at.clear()
        self._manifests.clear()
        head = self._mirror.mend(damage)
        try:
            return self._read(head)
        except MirrorDamaged as again:
            raise SourceError(f"{self._remote.address.url} can't be read, not even fetched anew: {again}") from again

    def _snapshot_of(self, head: str) -> Snapshot:
        folders = self._folders(head, self._mirror.objects, self._looked_at, self._manifests)
        names, left_out = folders.models()
        if not names:
            where = f"{self.where} at commit {head[:12]}"
            raise SourceError(no_model(where, left_out, "set gitFolder to where they are"))
        history = self._counting.history
        return Snapshot(head, {name: candidate_of(name, history.version(name), folders) for name in names}, left_out)

    def _folders(
        self, commit: str, objects: MirrorObjects, looked_at: dict[str, Folder], manifests: Manifests
    ) -> Folders:
        return folders_of(commit, self._remote.segments, objects, looked_at, manifests)
