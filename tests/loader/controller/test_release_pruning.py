from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from loader.controller.release_pruning import KEPT, ReleasePruning
from tests.loader.looks import looking
from tests.loader.pools import PLAIN, Place, place, release_of, run, until


def put(here: Place, number: int, model: str = "Model") -> str:
    """Put a release into the store, later than those before it; its id."""
    release = release_of(here.write(PLAIN + f"# {number}\n", model=model))
    os.utime(here.release_store.put(release, here.source), (number, number))
    return release.id


def on_disk(here: Place, model: str = "Model") -> set[str]:
    return {root.name for root in here.release_store.roots(model)}


def test_what_is_in_use_and_the_newest_three_are_kept(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            oldest = release_of(here.write(PLAIN + "# 0\n"))
            pool = await here.start_release(oldest)
            os.utime(here.release_store.path(oldest), (0, 0))
            ids = [put(here, number) for number in range(1, 8)]
            pruning = ReleasePruning(here.release_store, here.environments, here.starter.in_use, lambda: ["Model"])
            await pruning.prune()
            assert on_disk(here) == {oldest.id, *ids[-KEPT:]}
            await pool.stop()
            await pruning.prune()
            assert on_disk(here) == set(ids[-KEPT:])

    run(test())


def test_models_that_are_gone_go_unless_nobody_knows_yet_which_are(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            put(here, 1)
            put(here, 1, "Gone")
            await ReleasePruning(here.release_store, here.environments, here.starter.in_use, lambda: None).prune()
            assert set(here.release_store.models()) == {"Model", "Gone"}
            await ReleasePruning(here.release_store, here.environments, here.starter.in_use, lambda: ["Model"]).prune()
            assert here.release_store.models() == ["Model"]

    run(test())


def test_environments_of_kept_releases_stay(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            (here.models / "Model").mkdir()
            (here.models / "Model/requirements.txt").write_text("needed==1\n")
            put(here, 1)
            needed = here.environments.id_of(here.models / "Model/requirements.txt")
            assert needed is not None
            for id in (needed, "unneeded"):
                (tmp_path / "envs" / id).mkdir()
            await ReleasePruning(here.release_store, here.environments, here.starter.in_use, lambda: ["Model"]).prune()
            assert os.listdir(tmp_path / "envs") == [needed]

    run(test())


def test_environments_that_the_code_is_trained_in_stay(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            code = tmp_path / "code"
            for model, name in (("Alone", "requirements.txt"), ("Both", "requirements-train.txt")):
                (code / model).mkdir(parents=True)
                (code / model / name).write_text(f"{model}==1\n")
            needed = {here.environments.id_of(next((code / model).iterdir())) for model in ("Alone", "Both")}
            for id in (*needed, "unneeded"):
                (tmp_path / "envs" / str(id)).mkdir()
            trained = [("Alone", code), ("Both", code), ("common", code)]
            pruning = ReleasePruning(
                here.release_store, here.environments, here.starter.in_use, lambda: [], trained=lambda: trained
            )
            await pruning.prune()
            assert set(os.listdir(tmp_path / "envs")) == needed
            trained.clear()
            await pruning.prune()
            assert os.listdir(tmp_path / "envs") == []

    run(test())


@pytest.mark.parametrize(("gone_s", "kept"), [(0, 0), (1000, 1)])
def test_the_environment_of_a_model_that_is_gone_stays_a_while(tmp_path: Path, gone_s: float, kept: int) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            (here.models / "Model").mkdir()
            (here.models / "Model/requirements.txt").write_text("needed==1\n")
            put(here, 1)
            needed = here.environments.id_of(here.models / "Model/requirements.txt")
            assert needed is not None
            (tmp_path / "envs" / needed).mkdir()
            followed = ["Model"]
            pruning = ReleasePruning(
                here.release_store, here.environments, here.starter.in_use, lambda: followed, gone_s=gone_s
            )
            await pruning.prune()
            followed.clear()
            await pruning.prune()
            await pruning.prune()
            assert here.release_store.models() == []
            assert len(os.listdir(tmp_path / "envs")) == kept

    run(test())


def test_a_failure_is_logged_and_the_next_time_is_another_chance(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            looked = asyncio.Event()
            outcome = asyncio.Event()

            def fails_once() -> list[str]:
                if not looked.is_set():
                    looked.set()
                    raise RuntimeError("a surprise")
                return []

            put(here, 1)
            task = asyncio.create_task(
                ReleasePruning(here.release_store, here.environments, here.starter.in_use, fails_once).run(outcome)
            )
            outcome.set()
            await looked.wait()
            outcome.set()
            await until(lambda: not here.release_store.models())
            task.cancel()

    run(test())


def test_releases_with_bad_requirements_do_not_end_the_pruning_of_others(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            for number, bad in enumerate(
                (b"-r ../../../etc/hosts", b"\0", b"--bogus", b"# coding: zip\n", b"-r a.txt")
            ):
                folder = here.models / f"Bad{number}"
                folder.mkdir()
                (folder / "requirements.txt").write_bytes(bad)
                put(here, 1, folder.name)
            (tmp_path / "envs" / "unneeded").mkdir()
            everything = [path.name for path in here.models.iterdir()]
            await ReleasePruning(here.release_store, here.environments, here.starter.in_use, lambda: everything).prune()
            assert os.listdir(tmp_path / "envs") == []

    run(test())


def test_a_model_removed_while_all_is_quiet_leaves_no_files(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            here.write(model="Other")
            async with looking(here, tmp_path) as found:
                controllers = found.reconciler.controllers
                pruning = ReleasePruning(
                    here.release_store, here.environments, here.starter.in_use, lambda: set(controllers), pause_s=0
                )
                task = asyncio.create_task(pruning.run(found.reconciler.outcome))
                await until(lambda: set(found.shown.live) == {"Model", "Other"})
                shutil.rmtree(here.models / "Model")
                await found.reconciler.look_now()
                await until(lambda: here.release_store.models() == ["Other"])
                task.cancel()
                await asyncio.wait([task])

    run(test())
