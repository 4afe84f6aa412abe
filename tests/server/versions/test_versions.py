"""Versions as they are told in-process: of a folder, of what trains, and of what was turned down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.decisions import Decisions, Rejected
from core.errors import Heals, ReleaseFailed, VersionNotFound
from core.events import Actor
from core.release import Artifact, Release
from core.steering import Rejection
from core.version_states import Role, VersionState
from loader.controller.release_names import ReleaseNames
from loader.releases.proofs import ProofStore
from loader.releases.store import ReleaseStore
from loader.sources.past import CursorUnknown
from registry.registry import Registry
from server.versions.situations import Situations
from server.versions.version_reader import ModelNotFound, VersionReader
from server.versions.versions import Versions
from server.versions.views import VersionView
from tests.loader.looks import Looking, looking
from tests.loader.pools import PLAIN, place, run, until
from tests.loader.test_reconcile_trained import accept, artifact, is_live_with, train
from tests.server.http.runs import Runs

ONE, TWO = Artifact("1" * 32, "0" * 11 + "1"), Artifact("2" * 32, "0" * 11 + "2")
BROKEN = ReleaseFailed("it broke", stage="load", heals=Heals.NEVER)


class Told:
    """Versions of a folder, and what decides over them."""

    def __init__(self, looking: Looking, folder: Path, releases: Path) -> None:
        self.looking = looking
        self.folder = folder
        self.registry = Registry(f"sqlite:///{folder / 'registry.db'}")
        reconciler, source = looking.reconciler, looking.source
        reader = VersionReader(
            source,
            reconciler,
            ReleaseNames(source, reconciler.known),
            Situations(reconciler, lambda: ()),
            ProofStore(folder / "proofs"),
            ReleaseStore(releases),
        )
        self.versions = Versions(reader, Runs(folder / "runs").catalogue, self.registry)

    async def all(self, limit: int = 100) -> list[VersionView]:
        found: list[VersionView] = []
        cursor = None
        while True:
            page = await self.versions.listed("Model", limit, cursor)
            assert len(page.items) <= limit
            found += page.items
            if page.next is None:
                return found
            cursor = page.next

    def decide(self, **fields: object) -> None:
        self.looking.decisions = Decisions(**fields)  # type: ignore[arg-type]
        self.looking.reconciler.reconsider()

    async def live(self, label: str) -> None:
        await self.seen(label)
        await until(lambda: self._live() == label)

    def _live(self) -> str | None:
        live = self.looking.reconciler.controllers["Model"].live
        return None if live is None else live.version.label

    async def seen(self, label: str) -> None:
        """Look until the head is that version."""
        await self.looking.reconciler.look_now()
        await until(lambda: self.looking.reconciler.known.heads["Model"].version.label == label)


@asynccontextmanager
async def telling(tmp_path: Path, **files: str) -> AsyncIterator[Told]:
    async with place(tmp_path) as here:
        here.write(PLAIN)
        for name, content in files.items():
            (here.models / "Model" / f"{name}.py").write_text(content)
        async with looking(here, tmp_path) as found:
            told = Told(found, tmp_path, tmp_path / "releases")
            try:
                yield told
            finally:
                told.registry.close()


def test_a_folder_has_the_versions_that_were_seen(tmp_path: Path) -> None:
    async def test() -> None:
        async with telling(tmp_path) as told:
            await until(lambda: "Model" in told.looking.shown.live)
            etls = tmp_path / "models" / "Model" / "etls.py"
            etls.write_text(f"{PLAIN}# two\n")
            await told.live("v2")
            etls.write_text(PLAIN)
            await told.live("v3")
            for limit in (1, 100):
                found = await told.all(limit)
                assert [(one.version, one.state, one.role) for one in found] == [
                    ("v3", VersionState.READY, Role.LIVE),
                    ("v2", VersionState.RETIRED, None),
                ]
            assert found[0].commit == f"local-{found[0].release}"
            assert (found[0].author, found[0].message, found[0].at) == ("", "", None)
            diff = await told.versions.diff("Model", "v2", "v3")
            assert diff.diff is not None
            assert "+# two" in diff.diff
            with pytest.raises(ModelNotFound):
                await told.versions.listed("Nobody")
            with pytest.raises(VersionNotFound):
                await told.versions.one("Model", "v9")

    run(test())


def test_a_revision_is_told_once_for_each_artifact_that_was_accepted(tmp_path: Path) -> None:
    async def test() -> None:
        async with telling(tmp_path, train="def train(output): ...\n") as told:
            told.looking.spoilt["Model"] = BROKEN
            await told.seen("v1")
            revision = told.looking.reconciler.known.heads["Model"].revision
            assert revision is not None
            assert [(one.release, one.state) for one in await told.all()] == [(None, VersionState.PENDING)]
            told.decide(artifacts={}, runs={revision.code_key: "running"})
            assert (await told.versions.one("Model", "v1")).state == VersionState.TRAINING
            told.decide(artifacts={revision.code_key: (TWO, ONE)})
            await until(lambda: told.looking.tries() == 1)
            for limit in (1, 2, 100):
                found = await told.all(limit)
                assert [(one.version, one.run, one.state) for one in found] == [
                    ("v1", TWO.run, VersionState.FAILED),
                    ("v1", ONE.run, VersionState.RETIRED),
                ]
            assert [one.release for one in found] == [Release(revision, TWO).id, Release(revision, ONE).id]
            assert (await told.versions.one("Model", f"run-{ONE.run}")).release == found[1].release
            assert (await told.versions.diff("Model", f"run-{TWO.run}")).before.run == ONE.run
            with pytest.raises(VersionNotFound):
                await told.versions.diff("Model", f"run-{ONE.run}")
            with pytest.raises(CursorUnknown):
                await told.versions.listed("Model", 5, f"nonsense.{found[0].release}")

    run(test())


def test_of_two_runs_that_left_the_same_a_version_names_the_one_that_its_answers_name(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            train(here)
            async with looking(here, tmp_path) as found:
                told = Told(found, tmp_path, tmp_path / "releases")
                await until(lambda: found.shown.untrained)
                one = artifact(here, "one")
                again = Artifact(one.id, "another-run")
                accept(found, one)
                await until(lambda: found.is_live("Model"))
                held = found.reconciler.controllers["Model"].live
                assert held is not None
                accept(found, again, one, pins={"Model": held.served})
                for name in ("v1", held.version.commit):
                    assert (await told.versions.one("Model", name)).run == one.run
                assert [version.run for version in await told.all()] == [one.run]
                accept(found, again, one, pins={})
                await until(lambda: is_live_with(found, again))
                await until(lambda: found.reconciler.controllers["Model"].live.run == again.run)
                assert [version.run for version in await told.all()] == [again.run]
                told.registry.close()

    run(test())


def test_one_that_was_turned_down_says_by_whom_while_the_registry_answers(tmp_path: Path) -> None:
    async def test() -> None:
        async with telling(tmp_path) as told:
            await until(lambda: "Model" in told.looking.shown.live)
            id = told.looking.shown.live["Model"].pool.release.id
            ada = Actor(kind="key", name="Ada")
            with told.registry.transaction() as transaction:
                transaction.rejections.put(Rejection(model="Model", release=id, actor=ada, reason="bad"))
            told.decide(rejections={"Model": Rejected(releases=frozenset({id}))})
            found = (await told.all())[0]
            assert found.state == VersionState.REJECTED
            assert found.rejected is not None
            assert (found.rejected.actor, found.rejected.reason) == (ada, "bad")
            told.registry.close()
            (tmp_path / "registry.db").unlink()
            (tmp_path / "registry.db").mkdir()
            found = (await told.all())[0]
            assert found.state == VersionState.REJECTED
            assert found.rejected is not None
            assert found.rejected.reason == ""

    run(asyncio.wait_for(test(), 60))
