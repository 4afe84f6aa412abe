"""The versions of models: listed, one by name, and how two of them differ. For pages and for the API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from core.errors import PawlError, VersionNotFound
from core.steering import Rejection
from registry.errors import RegistryUnavailable
from registry.registry import Registry
from server.versions.differences import answers_diff, packages_diff, scores_diff
from server.versions.version_reader import ModelNotFound, VersionReader
from server.versions.views import DiffView, RejectionView, VersionList, VersionView
from server.versions.written import Told, view_of
from trainer.catalogue.catalogue import RunCatalogue

_REGISTRY_S = 2.0


class Versions:
    """For the loop's own thread."""

    def __init__(self, reader: VersionReader, runs: RunCatalogue, registry: Registry) -> None:
        self._reader = reader
        self._runs = runs
        self._registry = registry

    async def listed(self, model: str, limit: int = 100, cursor: str | None = None) -> VersionList:
        """The newest first, one for each release. Raises ModelNotFound, CursorUnknown, SourceError."""
        found, following = await asyncio.to_thread(self._reader.page, model, limit, cursor)
        if not found and cursor is None and not self._reader.situations.is_known(model):
            raise ModelNotFound(f"no model {model[:100]!r} is followed")
        return VersionList(items=await self._views(model, found), next=following)

    async def check(self, model: str) -> None:
        """Raises ModelNotFound."""
        if not self._reader.situations.is_known(model):
            await asyncio.to_thread(self._reader.check, model)

    async def one(self, model: str, name: str) -> VersionView:
        """By `vN`, a commit, or `run-<key>`. Raises ModelNotFound, VersionNotFound, VersionAmbiguous, SourceError."""
        return (await self._views(model, [await asyncio.to_thread(self._reader.told, model, name)]))[0]

    async def release(self, model: str, name: str) -> str:
        """The id of the release that goes by the name. Raises what `one` does."""
        told = await asyncio.to_thread(self._reader.told, model, name)
        if told.release is None:
            raise VersionNotFound(f"{model} {name[:50]} has no release: it could not be made, or was never trained")
        return told.release.id

    async def diff(self, model: str, name: str, since: str | None = None) -> DiffView:
        """How a version differs from another: by default from the live one, or, of that, from the one before it.

        Raises what `one` does.
        """
        after = await asyncio.to_thread(self._reader.told, model, name)
        before = (
            await asyncio.to_thread(self._reader.told, model, since) if since else await self._compared(model, after)
        )
        patch = await asyncio.to_thread(self._reader.patch, before, after)
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
        live = self._reader.live(model)
        if live is not None and (after.release is None or live.release.id != after.release.id):
            return await asyncio.to_thread(self._reader.told, model, live.version.commit)
        return await asyncio.to_thread(self._reader.earlier, after)

    async def _views(self, model: str, told: Sequence[Told]) -> list[VersionView]:
        situation = self._reader.situations.of(model)
        rejections = await self._rejections(model) if situation.rejected else {}
        states = self._reader.reconciler.known.decided.runs
        scores = {one.run: await self._scores(one.run) for one in told if one.run is not None}
        return [
            view_of(one, situation, rejections, scores.get(one.run or "", {}), states.get(one.code_key or ""))
            for one in told
        ]

    async def _rejections(self, model: str) -> Mapping[str, RejectionView]:
        try:
            found: list[Rejection] = await self._registry.perform(
                lambda transaction: transaction.rejections.all(model), _REGISTRY_S
            )
        except RegistryUnavailable:
            return {}
        return {one.release: RejectionView(at=one.at, actor=one.actor, reason=one.reason) for one in found}

    async def _scores(self, run: str) -> Mapping[str, float]:
        try:
            return (await self._runs.find(run)).scores
        except PawlError:  # the store is away, or holds no record of it any more
            return {}
