"""Models that train, pins and rejections: what is served of them, and what a restart knows."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

from core.decisions import Decisions, Rejected
from core.release import Artifact, Choice, Served
from tests.loader.looks import Looking, looking
from tests.loader.pools import Place, ask, place, run, until

READS = """
class Reads:
    def __init__(self, path):
        self.says = open(path + "says.txt").read()

    def transform_predict(self):
        return {"says": self.says}
"""


def train(here: Place, code: str = "1", etls: str = READS) -> None:
    here.write(etls)
    (here.models / "Model/train.py").write_text(code)


def accept(found: Looking, *artifacts: Artifact, **more: object) -> None:
    """They are what the head's code key has; the newest is the first."""
    key = found.reconciler.desired.training["Model"].revision.code_key
    assert key is not None
    before = found.decisions.artifacts or {}
    found.decisions = Decisions(artifacts={**before, key: artifacts}, **more)  # type: ignore[arg-type]
    found.reconciler.reconsider()


def artifact(here: Place, says: str) -> Artifact:
    return here.artifacts.write(says, {"says.txt": says})


async def says(found: Looking) -> str:
    body = (await ask(found.shown.live["Model"].pool)).body
    return str(json.loads(body)["says"])


def is_live_with(found: Looking, one: Artifact) -> bool:
    live = found.shown.live.get("Model")
    return live is not None and live.run == one.run


def test_what_was_never_trained_is_not_waited_for_and_goes_live_with_its_first_artifact(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            train(here)
            async with looking(here, tmp_path) as found:
                await asyncio.wait_for(found.reconciler.ready.wait(), 100)
                assert found.shown.untrained == {"Model": "queued"}
                assert found.reconciler.desired.training["Model"].artifact is None
                key = found.reconciler.desired.training["Model"].revision.code_key
                found.decisions = Decisions(runs={str(key): "running"})
                found.reconciler.reconsider()
                await until(lambda: found.shown.untrained == {"Model": "running"})
                one = artifact(here, "one")
                accept(found, one)
                await until(lambda: is_live_with(found, one))
                assert await says(found) == "one"
                assert found.shown.untrained == {}

    run(test())


def test_a_model_whose_artifact_is_still_to_be_read_is_not_taken_for_untrained(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            train(here)
            async with looking(here, tmp_path) as found:
                await until(lambda: found.shown.untrained)
                found.may_start.clear()
                one = artifact(here, "one")
                accept(found, one)
                await until(lambda: found.reconciler.controllers["Model"].progress.doing is not None)
                assert not found.reconciler.ready.is_set()
                found.may_start.set()
                await found.reconciler.ready.wait()
                assert is_live_with(found, one)

    run(test())


def test_what_is_live_stays_live_until_the_new_code_is_trained_and_new_data_swaps_alone(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            train(here)
            async with looking(here, tmp_path) as found:
                await until(lambda: found.shown.untrained)
                one, two, three = (artifact(here, name) for name in ("one", "two", "three"))
                accept(found, one)
                await until(lambda: is_live_with(found, one))
                train(here, "2")
                await found.reconciler.look_now()
                wanted = found.reconciler.controllers["Model"].wanted
                assert wanted is not None
                assert wanted.choice is Choice.UNTRAINED
                assert is_live_with(found, one)
                accept(found, two)
                await until(lambda: is_live_with(found, two))
                version = found.shown.live["Model"].version
                accept(found, three, two)
                await until(lambda: is_live_with(found, three))
                assert found.shown.live["Model"].version == version

    run(test())


def test_a_run_that_left_the_same_files_restarts_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            train(here)
            async with looking(here, tmp_path) as found:
                await until(lambda: found.shown.untrained)
                one = artifact(here, "one")
                accept(found, one)
                await until(lambda: is_live_with(found, one))
                pool = found.shown.live["Model"].pool
                again = Artifact(one.id, "another-run")
                accept(found, again, one)
                await until(lambda: is_live_with(found, again))
                assert found.shown.live["Model"].pool is pool
                assert found.reconciler.known.last_live["Model"][0].release.run == again.run

    run(test())


def test_a_restart_without_source_and_decisions_serves_and_decides_the_same(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            train(here)
            one, two = (artifact(here, name) for name in ("one", "two"))
            async with looking(here, tmp_path) as found:
                await until(lambda: found.shown.untrained)
                accept(found, one)
                await until(lambda: is_live_with(found, one))
                live = Served(found.shown.live["Model"].pool.release, found.shown.live["Model"].version)
                accept(found, two, one, pins={"Model": live})
                rejected = {"Other": Rejected(frozenset(["r"]), frozenset(["k"]))}
                accept(found, two, one, pins={"Model": live}, rejections=rejected)
            async with looking(here, tmp_path, is_lost=True) as found:
                await until(lambda: is_live_with(found, one))
                await until(lambda: found.reconciler.known_source.problem)
                assert found.reconciler.known.decided.pins == {"Model": live}
                assert found.reconciler.known.decided.rejections == rejected
                found.decisions = Decisions(pins={})  # the database is reached, and the pin was lifted
                found.reconciler.reconsider()
                await until(lambda: is_live_with(found, two))
                assert await says(found) == "two"

    run(test())


def test_a_pin_holds_when_its_folder_has_gone_and_a_restart_came_between(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            here.write(model="Other")
            async with looking(here, tmp_path) as found:
                await until(lambda: found.shown.live.keys() == {"Model", "Other"})
                live = found.shown.live["Model"]
                pinned = {"Model": Served(live.pool.release, live.version)}
                found.decisions = Decisions(pins=pinned)
                shutil.rmtree(here.models / "Model")
                await found.reconciler.look_now()
                assert found.reconciler.controllers["Model"].wanted is not None
            async with looking(here, tmp_path) as found:
                await until(lambda: found.shown.live.keys() == {"Model", "Other"})
                await found.reconciler.look_now()
                assert found.reconciler.controllers["Model"].wanted is not None
                found.decisions = Decisions(pins={})
                await found.reconciler.look_now()
                await until(lambda: found.shown.live.keys() == {"Other"})

    run(test())


def test_what_is_rejected_gives_way_to_what_was_live_before_it_and_the_next_push_goes_live(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            async with looking(here, tmp_path) as found:
                await until(lambda: "Model" in found.shown.live)
                first = found.shown.live["Model"].pool.release
                here.write(READS.replace('open(path + "says.txt").read()', "''"))
                await found.reconciler.look_now()
                await until(lambda: found.shown.live["Model"].pool.release != first)
                second = found.shown.live["Model"].pool.release
                found.decisions = Decisions(rejections={"Model": Rejected(frozenset([second.id]))})
                found.reconciler.reconsider()
                await until(lambda: found.shown.live["Model"].pool.release == first)
                assert found.reconciler.known.last_releases() == [first, second]
                found.decisions = Decisions(rejections={"Model": Rejected(frozenset([first.id, second.id]))})
                found.reconciler.reconsider()
                await until(lambda: "Model" in found.shown.down)
                assert "rejected" in found.shown.down["Model"]
                here.write(READS.replace('open(path + "says.txt").read()', "'new'"))
                await found.reconciler.look_now()
                await until(lambda: "Model" in found.shown.live)

    run(test())
