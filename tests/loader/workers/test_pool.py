from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from core.errors import Heals, ReleaseFailed
from core.process.resources import Memory
from loader.workers.pool import Pool
from loader.workers.process.relay import Relay
from loader.workers.process.worker_process import Launch
from loader.workers.report import Happening
from loader.workers.slot import pause_s
from loader.workers.start_limiter import StartLimiter
from tests.loader.pools import PLAIN, place, release_of, run, until
from worker.wire.messages import WorkerConfig

TRIES = 4


def test_the_pause_before_a_start_grows_and_is_bounded() -> None:
    pauses = [pause_s(crashes) for crashes in range(1, 200)]
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[1] < 0.5
    assert pauses[-1] == 30


RAISES = """
class Raises:
    def transform_predict(self, variables):
        return self.look_up(variables["n"])

    def look_up(self, n):
        raise LookupError("nobody goes by %d" % n)
"""


@pytest.mark.parametrize("manifest", ["{}", "serve: {replicas: 2}", "serve: {threads: 2}"])
def test_the_traceback_of_an_example_that_raised_is_part_of_the_failure(tmp_path: Path, manifest: str) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write(RAISES, manifest)
            (here.models / "Model" / "examples.json").write_text('[{"variables": {"n": 7}}]')
            wanted = here.write(RAISES, manifest)
            for _ in range(TRIES):
                with pytest.raises(ReleaseFailed, match=r"example 0 .*nobody goes by 7") as failed:
                    await here.start(wanted)
                assert 'etls.py", line 4, in transform_predict' in failed.value.detail
                assert failed.value.detail.endswith("LookupError: nobody goes by 7\n")

    run(test())


def test_an_example_may_expect_just_some_keys_of_the_answer(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            here.write()
            examples = here.models / "Model" / "examples.json"
            examples.write_text('[{"expect_some": {}}]')
            await here.start(here.write())
            examples.write_text('[{"expect_some": {"pod": 1}}]')
            with pytest.raises(ReleaseFailed, match=r'example 0 of examples\.json: the answer lacks "pod"'):
                await here.start(here.write())
            examples.write_text('[{"expect": {}}]')
            with pytest.raises(ReleaseFailed, match=r'example 0 .*the answer also has "pid"'):
                await here.start(here.write())

    run(test())


def test_all_examples_that_fail_are_counted_and_the_first_is_told(tmp_path: Path) -> None:
    etls = """
        class Plain:
            def transform_predict(self, variables):
                if variables["n"] == 4:
                    raise LookupError("4")
                return {"n": variables["n"]}
    """
    examples = [{"variables": {"n": n}, "expect": {"n": n % 3}} for n in range(5)]

    async def test() -> None:
        async with place(tmp_path) as here:
            wanted = here.write(etls, "serve: {replicas: 2}")
            (here.models / "Model" / "examples.json").write_text(json.dumps(examples))
            wanted = here.write(etls, "serve: {replicas: 2}")
            with pytest.raises(ReleaseFailed, match=r"^example 3 .*expected 0 \(and 1 more example fails\)$"):
                await here.start(wanted)
            proof = here.proofs.get("Model", release_of(wanted).id)
            assert proof is not None
            assert (proof.passed, proof.failed) == (3, 2)

    run(test())


def test_an_example_that_kills_the_worker_ends_the_count(tmp_path: Path) -> None:
    etls = """
        import os

        class Plain:
            def transform_predict(self, variables):
                os._exit(3) if variables["n"] else None
                return {}
    """

    async def test() -> None:
        async with place(tmp_path) as here:
            here.write(etls)
            examples = [{"variables": {"n": n}, "expect": {"a": 1}} for n in (0, 1, 0)]
            (here.models / "Model" / "examples.json").write_text(json.dumps(examples))
            count = r"\(and at least 1 more example fails\)"
            with pytest.raises(ReleaseFailed, match=rf"^example 0 .* lacks \"a\" {count}$"):
                await here.start(here.write(etls))

    run(test())


@pytest.mark.parametrize("examples", ["[]", '[{"variables": {}}]'])
def test_a_release_that_takes_more_than_its_own_memory_mb_never_becomes_ready(tmp_path: Path, examples: str) -> None:
    takes = "taken = b'x' * (80 * 2**20)\n" + PLAIN

    async def test() -> None:
        async with place(tmp_path) as here:
            here.write(takes)
            (here.models / "Model" / "examples.json").write_text(examples)
            with pytest.raises(ReleaseFailed, match=r"takes [89]\d MB once .*serve\.memory_mb allows 60") as failed:
                await here.start(here.write(takes, "serve: {memory_mb: 60}"))
            assert (failed.value.stage, failed.value.heals) == ("memory", Heals.NEVER)
            await here.start(here.write(takes, "serve: {memory_mb: 120}"))

    run(test())


def test_a_pool_whose_worker_cannot_be_started_again_keeps_trying_and_says_why(tmp_path: Path) -> None:
    moody = f"import os\nassert not os.path.exists({str(tmp_path / 'bad')!r}), 'a bad day'\n" + PLAIN

    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write(moody))
            (tmp_path / "bad").touch()
            os.kill(pool.workers[0].pid, signal.SIGKILL)
            await until(lambda: sum("a bad day" in report.message for report in here.reports) >= 2)
            assert not pool.sockets
            (tmp_path / "bad").unlink()
            await until(lambda: pool.sockets)
            assert here.reports[-1].happening is Happening.REPLACED

    run(test())


def test_a_worker_is_replaced_though_a_start_fails_for_a_reason_that_nobody_foresaw(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            release = release_of(here.write())
            root = here.release_store.put(release, here.source)
            faults, numbers, relay = [OSError("unforeseen")], itertools.count(), Relay(os.environ)

            async def launch() -> Launch:
                if not faults or not here.reports:
                    socket = here.run / f"own{next(numbers)}.sock"
                    config = WorkerConfig(
                        model="Model", folder=f"{root}/Model/", root=str(root), socket=str(socket), max_body=1000
                    )
                    return Launch(Path(sys.executable), config, os.environ, 30, relay)
                raise faults.pop()

            pool = Pool("it", release, root, [launch], (), changed=lambda: None, report=here.reports.append)
            await pool.start()
            os.kill(pool.workers[0].pid, signal.SIGKILL)
            await until(lambda: not faults and pool.sockets)
            await pool.kill()
            relay.close()

    run(test())


def test_a_release_whose_example_kills_or_hangs_its_worker_fails_saying_so(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            for what, said in (("os._exit(3)", "exited with code 3"), ("while True: pass", "hung for")):
                etls = f"import os\nclass A:\n    def transform_predict(self):\n        {what}\n"
                (here.models / "Model").mkdir(exist_ok=True)
                (here.models / "Model/examples.json").write_text("[{}]")
                with pytest.raises(ReleaseFailed, match=f"example 0 .*{said}") as failed:
                    await here.start(here.write(etls, "serve: {timeout_s: 0.5}"))
                assert failed.value.stage == "examples"
                assert not here.starter.pools()
            assert "in transform_predict" in failed.value.detail

    run(test())


def test_one_replica_that_fails_to_start_ends_all(tmp_path: Path) -> None:
    flag = tmp_path / "first"
    only_once = f"import os\nos.close(os.open({str(flag)!r}, os.O_CREAT | os.O_EXCL))\n" + PLAIN

    async def test() -> None:
        async with place(tmp_path) as here:
            with pytest.raises(ReleaseFailed, match="FileExistsError"):
                await here.start(here.write(only_once, "serve: {replicas: 2}"))
            assert not here.starter.pools()
            assert not list(here.run.iterdir())

    run(test())


def test_without_the_memory_that_the_predecessor_took_nothing_is_started(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path, memory=lambda: Memory(limit=100 * 2**20, used=80 * 2**20, limited=True)) as here:
            release = release_of(here.write())

            async def needs(megabytes: int) -> int:
                return megabytes * 2**20

            with pytest.raises(ReleaseFailed, match=r"no memory: 20 MB are left, .* took 30 MB") as failed:
                await here.start_release(release, make_room=lambda: needs(30))
            assert (failed.value.stage, failed.value.heals) == ("memory", Heals.WITH_MACHINE)
            assert (await here.start_release(release, make_room=lambda: needs(10))).sockets

    run(test())


def test_a_start_that_takes_long_holds_up_no_other() -> None:
    async def test() -> None:
        start_limiter, began = StartLimiter(1, longest_s=0.05), asyncio.Event()

        async def take_permit() -> None:
            async with start_limiter.permit():
                pass

        async def wait_for_ever() -> None:
            async with start_limiter.permit():
                began.set()
                await asyncio.Event().wait()

        waiting = asyncio.create_task(wait_for_ever())
        await began.wait()
        async with asyncio.timeout(60):
            for _ in range(3):
                await take_permit()
        waiting.cancel()
        await asyncio.wait([waiting])
        async with start_limiter.permit():  # an expired permit was not given back twice: there is one, and it is taken
            other = asyncio.create_task(take_permit())
            await asyncio.sleep(0)
            assert not other.done()
        await other

    run(test())


def test_a_worker_is_told_its_device_and_what_it_may_take_of_a_gpu(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            said = await here.start(here.write(manifest="serve: {device: auto, gpu_memory_mb: 512}"))
            unsaid = await here.start(here.write(model="Other"))
            configs = [pool.workers[0].config for pool in (said, unsaid)]
            assert [(each.device, each.gpu_memory_mb) for each in configs] == [("auto", 512), ("cpu", None)]

    run(test())


@pytest.mark.parametrize(
    ("variables", "heals"), [('{"a": 1}', Heals.NEVER), ('{"raise": 1}', Heals.MAYBE)], ids=["wrong", "raised"]
)
def test_a_wrong_answer_to_an_example_does_not_heal_and_what_was_raised_might(
    tmp_path: Path, variables: str, heals: Heals
) -> None:
    etls = """
        class Plain:
            def transform_predict(self, variables):
                if "raise" in variables:
                    raise RuntimeError("today")
                return {"b": 1}
    """

    async def test() -> None:
        async with place(tmp_path) as here:
            (here.models / "Model").mkdir()
            (here.models / "Model" / "examples.json").write_text(
                f'[{{"variables": {variables}, "expect": {{"b": 2}}}}]'
            )
            with pytest.raises(ReleaseFailed) as failed:
                await here.start(here.write(etls))
            assert (failed.value.stage, failed.value.heals) == ("examples", heals)

    run(test())
