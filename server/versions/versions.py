"""The versions of models: listed, one by name, and how two of them differ. For pages and for the API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import PawlError, SourceError, VersionNotFound
from core.release import Artifact, Candidate, Release, Revision, Served
from core.steering import Rejection
from loader.controller.release_names import RUN, ReleaseNames
from loader.reconcile import Reconciler
from loader.releases.proofs import Proof, ProofStore
from loader.releases.store import ReleaseStore
from loader.sources.past import PastVersion, Patch, cursor_of, read_cursor
from loader.sources.source import Source
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.versions.differences import answers_diff, packages_diff, scores_diff
from server.versions.folder_patch import folder_patch
from server.versions.situations import Situations
from server.versions.views import DiffView, RejectionView, VersionList, VersionView
from server.versions.written import Told, view_of
from trainer.catalogue.catalogue import RunCatalogue

_PATCH_BYTES = 512 * 1024
_REGISTRY_S = 2.0


@dataclass(frozen=True)
class Parts:
    """What versions are read from."""

    source: Source
    reconciler: Reconciler
    names: ReleaseNames
    situations: Situations
    proofs: ProofStore
    releases: ReleaseStore
    runs: RunCatalogue
    registry: Registry


class ModelNotFound(PawlError):
    """No model of that name is followed, nor was one ever."""


class Versions:
    """For the loop's own thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def listed(self, model: str, limit: int = 100, cursor: str | None = None) -> VersionList:
        """The newest first, one for each release. Raises ModelNotFound, CursorUnknown, SourceError."""
        found, following = await asyncio.to_thread(self._page, model, limit, cursor)
        if not found and cursor is None and not self._parts.situations.is_known(model):
            raise ModelNotFound(f"no model {model[:100]!r} is followed")
        return VersionList(items=await self._views(model, found), next=following)

    async def check(self, model: str) -> None:
        """Raises ModelNotFound."""
        if not self._parts.situations.is_known(model):
            await asyncio.to_thread(self._check, model)

    async def one(self, model: str, name: str) -> VersionView:
        """By `vN`, a commit, or `run-<key>`. Raises ModelNotFound, VersionNotFound, VersionAmbiguous, SourceError."""
        return (await self._views(model, [await asyncio.to_thread(self._told, model, name)]))[0]

    async def release(self, model: str, name: str) -> str:
        """The id of the release that goes by the name. Raises what `one` does."""
        told = await asyncio.to_thread(self._told, model, name)
        if told.release is None:
            raise VersionNotFound(f"{model} {name[:50]} has no release: it could not be made, or was never trained")
        return told.release.id

    async def diff(self, model: str, name: str, since: str | None = None) -> DiffView:
        """How a version differs from another: by default from the live one, or, of that, from the one before it.

        Raises what `one` does.
        """
        after = await asyncio.to_thread(self._told, model, name)
        before = await asyncio.to_thread(self._told, model, since) if since else await self._compared(model, after)
        patch = await asyncio.to_thread(self._patch, before, after)
        shown = await self._views(model, [before, after])
        return DiffView(
            before=shown[0],
            after=shown[1],
            diff=None if patch is None else patch.text,
            truncated=patch is not None and patch.is_cut,
            packages=packages_diff(shown[0].environment, shown[1].environment),
            scores=scores_diff(shown[0].scores, shown[1].scores),
            answers=answers_diff(before.proof, after.proof),
        )

    async def _compared(self, model: str, after: Told) -> Told:
        live = self._live(model)
        if live is not None and (after.release is None or live.release.id != after.release.id):
            return await asyncio.to_thread(self._told, model, live.version.commit)
        return await asyncio.to_thread(self._earlier, after)

    def _earlier(self, told: Told) -> Told:
        candidate = told.past.candidate
        same = self._of_revision(told.past)
        at = next((index for index, one in enumerate(same) if one.release == told.release), len(same))
        if at + 1 < len(same):
            return same[at + 1]
        page = self._parts.source.past(candidate.model, 1, cursor_of(candidate.version))
        if not page.versions:
            raise VersionNotFound(f"there is no version of {candidate.model} before {candidate.version.label}")
        return self._of_revision(page.versions[0])[0]

    def _patch(self, before: Told, after: Told) -> Patch | None:
        try:
            found = self._parts.source.patch(before.past.candidate, after.past.candidate, _PATCH_BYTES)
        except SourceError:
            if before.release is None or after.release is None:
                raise
            found = None  # the commit of one is gone, and what lies on the disk may not be
        if found is not None or before.release is None or after.release is None:
            return found
        store = self._parts.releases
        return folder_patch(store.path(before.release), store.path(after.release), _PATCH_BYTES)

    def _page(self, model: str, limit: int, cursor: str | None) -> tuple[list[Told], str | None]:
        """Blocks. A cursor names the version that came last and, where its revision makes more, the release."""
        version, _, release = (cursor or "").partition(".")
        found = self._rest_of_revision(model, version, release)[: limit + 1] if release else []
        page = self._parts.source.past(model, limit, version or None)
        for past in page.versions:
            found += self._of_revision(past)
        following = page.next
        if cursor is None and limit > 1 and (live := self._live_beyond_history(model, found)) is not None:
            found.insert(0, live)
        if len(found) > limit:
            found, following = found[:limit], _cursor(found[limit - 1], found[limit])
        return found, following

    def _live_beyond_history(self, model: str, found: Sequence[Told]) -> Told | None:
        """What is live, held by a pin perhaps, and was removed from the history."""
        live = self._live(model)
        if live is None or any(one.release == live.release for one in found):
            return None
        try:
            self._parts.source.resolve(model, live.version.commit)
        except VersionNotFound:
            return self._of_served(live)
        return None

    def _live(self, model: str) -> Served | None:
        controller = self._parts.reconciler.controllers.get(model)
        live = None if controller is None else controller.live
        return None if live is None else Served(live.pool.release, live.version)

    def _of_served(self, served: Served) -> Told:
        candidate = Candidate(served.release.model, served.version, served.release.revision)
        try:
            past = self._parts.source.tell(candidate)
        except SourceError:  # its commit is gone
            past = PastVersion(candidate)
        return self._with_proof(past, served.release)

    def _rest_of_revision(self, model: str, cursor: str, release: str) -> list[Told]:
        """What the revision of the version at a cursor makes besides, after that release."""
        _, commit = read_cursor(cursor)
        try:
            told = self._of_revision(self._parts.source.tell(self._parts.source.resolve(model, commit)))
        except VersionNotFound:  # history was rewritten meanwhile
            return []
        ids = [None if one.release is None else one.release.id for one in told]
        return told[ids.index(release) + 1 :] if release in ids else []

    def _told(self, model: str, name: str) -> Told:
        self._check(model)
        try:
            return self._told_by_history(model, name)
        except VersionNotFound:
            served = self._parts.names.remembered(model, name, self._live(model))
            if served is None:
                raise
            return self._of_served(served)

    def _told_by_history(self, model: str, name: str) -> Told:
        if name.startswith(RUN):
            wanted = self._parts.names.find(model, name)
            revision = None if wanted.release is None else wanted.release.revision
            candidate = Candidate(model, wanted.version, revision, wanted.failure)
            return self._with_proof(self._parts.source.tell(candidate), wanted.release)
        told = self._of_revision(self._parts.source.tell(self._parts.source.resolve(model, name)))
        live = self._parts.situations.of(model).live
        return next((one for one in told if one.release is not None and one.release.id == live), told[0])

    def _check(self, model: str) -> None:
        if not self._parts.situations.is_known(model) and not self._parts.source.past(model, 1).versions:
            raise ModelNotFound(f"no model {model[:100]!r} is followed")

    def _of_revision(self, past: PastVersion) -> list[Told]:
        """A version with each release that its revision made, the newest first; at least one."""
        revision = past.candidate.revision
        releases = [] if revision is None else self._releases(revision)
        return [self._with_proof(past, release) for release in releases] or [self._with_proof(past, None)]

    def _releases(self, revision: Revision) -> list[Release]:
        if revision.code_key is None:
            return [Release(revision)]
        decided = self._parts.reconciler.known.decided
        accepted = (decided.artifacts or {}).get(revision.code_key, ())
        live = [one.artifact for one in self._parts.reconciler.known.last_releases() if one.revision == revision]
        artifacts: dict[str, Artifact] = {}
        for artifact in (*accepted, *(one for one in live if one is not None)):
            artifacts.setdefault(artifact.id, artifact)
        return [Release(revision, artifact) for artifact in artifacts.values()]

    def _with_proof(self, past: PastVersion, release: Release | None) -> Told:
        proof: Proof | None = None
        if release is not None:
            proof = self._parts.proofs.get(release.model, release.id)
        return Told(past, release, proof)

    async def _views(self, model: str, told: Sequence[Told]) -> list[VersionView]:
        situation = self._parts.situations.of(model)
        rejections = await self._rejections(model) if situation.rejected else {}
        states = self._parts.reconciler.known.decided.runs
        scores = {one.run: await self._scores(one.run) for one in told if one.run is not None}
        return [
            view_of(one, situation, rejections, scores.get(one.run or "", {}), states.get(one.code_key or ""))
            for one in told
        ]

    async def _rejections(self, model: str) -> Mapping[str, RejectionView]:
        try:
            found: list[Rejection] = await self._parts.registry.perform(
                lambda transaction: transaction.rejections.all(model), _REGISTRY_S
            )
        except RegistryUnavailable:
            return {}
        return {one.release: RejectionView(at=one.at, actor=one.actor, reason=one.reason) for one in found}

    async def _scores(self, run: str) -> Mapping[str, float]:
        try:
            return (await self._parts.runs.find(run)).scores
        except PawlError:  # the store is away, or holds no record of it any more
            return {}


def _cursor(last: Told, following: Told) -> str:
    version = cursor_of(last.past.candidate.version)
    is_same = last.past is following.past and last.release is not None
    return f"{version}.{last.release.id}" if is_same and last.release is not None else version
