"""Reads versions out of the source, with the releases that they made and what came of those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import PawlError, SourceError, VersionNotFound
from core.release import Artifact, Candidate, Release, Revision, Served
from loader.controller.release_names import RUN, ReleaseNames
from loader.reconcile import Reconciler
from loader.releases.proofs import Proof, ProofStore
from loader.releases.store import ReleaseStore
from loader.sources.past import PastVersion, Patch, cursor_of, read_cursor
from loader.sources.source import Source
from server.versions.folder_patch import folder_patch
from server.versions.situations import Situations
from server.versions.written import Told

_PATCH_BYTES = 512 * 1024


class ModelNotFound(PawlError):
    """No model of that name is followed, nor was one ever."""


@dataclass(frozen=True)
class VersionReader:
    """All block, and may be called in any thread."""

    source: Source
    reconciler: Reconciler
    names: ReleaseNames
    situations: Situations
    proofs: ProofStore
    releases: ReleaseStore

    def page(self, model: str, limit: int, cursor: str | None) -> tuple[list[Told], str | None]:
        """The newest first, and where to go on. A cursor names the version that came last and, where its revision makes
        more, the release. Raises CursorUnknown, SourceError."""
        version, _, release = (cursor or "").partition(".")
        found = self._rest_of_revision(model, version, release)[: limit + 1] if release else []
        page = self.source.past(model, limit, version or None)
        for past in page.versions:
            found += self._of_revision(past)
        following = page.next
        if cursor is None and limit > 1 and (live := self._live_beyond_history(model, found)) is not None:
            found.insert(0, live)
        if len(found) > limit:
            found, following = found[:limit], _cursor(found[limit - 1], found[limit])
        return found, following

    def told(self, model: str, name: str) -> Told:
        """By `vN`, a commit, or `run-<key>`. Raises ModelNotFound, VersionNotFound, VersionAmbiguous, SourceError."""
        self.check(model)
        try:
            return self._told_by_history(model, name)
        except VersionNotFound:
            served = self.names.remembered(model, name, self.live(model))
            if served is None:
                raise
            return self._of_served(served)

    def earlier(self, told: Told) -> Told:
        """The one before. Raises VersionNotFound, SourceError."""
        candidate = told.past.candidate
        same = self._of_revision(told.past)
        at = next((index for index, one in enumerate(same) if one.release == told.release), len(same))
        if at + 1 < len(same):
            return same[at + 1]
        page = self.source.past(candidate.model, 1, cursor_of(candidate.version))
        if not page.versions:
            raise VersionNotFound(f"there is no version of {candidate.model} before {candidate.version.label}")
        return self._of_revision(page.versions[0])[0]

    def patch(self, before: Told, after: Told) -> Patch | None:
        """None where the files of one are gone. Raises SourceError."""
        try:
            found = self.source.patch(before.past.candidate, after.past.candidate, _PATCH_BYTES)
        except SourceError:
            if before.release is None or after.release is None:
                raise
            found = None  # the commit of one is gone, and what lies on the disk may not be
        if found is not None or before.release is None or after.release is None:
            return found
        store = self.releases
        return folder_patch(store.path(before.release), store.path(after.release), _PATCH_BYTES)

    def check(self, model: str) -> None:
        """Raises ModelNotFound."""
        if not self.situations.is_known(model) and not self.source.past(model, 1).versions:
            raise ModelNotFound(f"no model {model[:100]!r} is followed")

    def live(self, model: str) -> Served | None:
        """What answers, if anything does."""
        controller = self.reconciler.controllers.get(model)
        live = None if controller is None else controller.live
        return None if live is None else live.served

    def _live_beyond_history(self, model: str, found: Sequence[Told]) -> Told | None:
        """What is live, held by a pin perhaps, and was removed from the history."""
        live = self.live(model)
        if live is None or any(one.release == live.release for one in found):
            return None
        try:
            self.source.resolve(model, live.version.commit)
        except VersionNotFound:
            return self._of_served(live)
        return None

    def _told_by_history(self, model: str, name: str) -> Told:
        if name.startswith(RUN):
            wanted = self.names.find(model, name)
            revision = None if wanted.release is None else wanted.release.revision
            candidate = Candidate(model, wanted.version, revision, wanted.failure)
            return self._with_proof(self.source.tell(candidate), wanted.release)
        told = self._of_revision(self.source.tell(self.source.resolve(model, name)))
        live = self.situations.of(model).live
        return next((one for one in told if one.release is not None and one.release.id == live), told[0])

    def _of_served(self, served: Served) -> Told:
        candidate = Candidate(served.release.model, served.version, served.release.revision)
        try:
            past = self.source.tell(candidate)
        except SourceError:  # its commit is gone
            past = PastVersion(candidate)
        return self._with_proof(past, served.release)

    def _rest_of_revision(self, model: str, cursor: str, release: str) -> list[Told]:
        """What the revision of the version at a cursor makes besides, after that release."""
        _, commit = read_cursor(cursor)
        try:
            told = self._of_revision(self.source.tell(self.source.resolve(model, commit)))
        except VersionNotFound:  # history was rewritten meanwhile
            return []
        ids = [None if one.release is None else one.release.id for one in told]
        return told[ids.index(release) + 1 :] if release in ids else []

    def _of_revision(self, past: PastVersion) -> list[Told]:
        """A version with each release that its revision made, the newest first; at least one."""
        revision = past.candidate.revision
        releases = [] if revision is None else self._releases(revision)
        return [self._with_proof(past, release) for release in releases] or [self._with_proof(past, None)]

    def _releases(self, revision: Revision) -> list[Release]:
        if revision.code_key is None:
            return [Release(revision)]
        decided = self.reconciler.known.decided
        accepted = (decided.artifacts or {}).get(revision.code_key, ())
        live = [one.artifact for one in self.reconciler.known.last_releases() if one.revision == revision]
        artifacts: dict[str, Artifact] = {}
        for artifact in (*accepted, *(one for one in live if one is not None)):
            artifacts.setdefault(artifact.id, artifact)
        answers = self.live(revision.model)
        if answers is not None and (goes_by := answers.release.artifact) is not None and goes_by.id in artifacts:
            artifacts[goes_by.id] = goes_by  # of the runs that left the same, the one that its answers name
        return [Release(revision, artifact) for artifact in artifacts.values()]

    def _with_proof(self, past: PastVersion, release: Release | None) -> Told:
        proof: Proof | None = None
        if release is not None:
            proof = self.proofs.get(release.model, release.id)
        return Told(past, release, proof)


def _cursor(last: Told, following: Told) -> str:
    version = cursor_of(last.past.candidate.version)
    is_same = last.past is following.past and last.release is not None
    return f"{version}.{last.release.id}" if is_same and last.release is not None else version
