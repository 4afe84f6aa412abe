from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from core.errors import ReleaseFailed
from loader.workers.process.relay import Relay
from loader.workers.process.unassigned import environment
from loader.workers.process.worker_process import Launch, WorkerProcess
from tests.loader.pools import ask, place, run, until
from tests.processes import is_alive
from worker.wire.client import WorkerLost
from worker.wire.messages import WorkerConfig


def test_a_worker_that_is_not_ready_in_time_tells_where_it_was(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path, start_timeout_s=3) as here:
            wanted = here.write("import time\nprint('so far')\ntime.sleep(1000)\n")
            with pytest.raises(ReleaseFailed, match="not loaded after 3 s") as failed:
                await here.start(wanted)
            assert failed.value.heals
            assert "so far" in failed.value.detail
            assert 'etls.py", line 3' in failed.value.detail
            assert not list(here.run.iterdir())

    run(test())


def test_the_last_words_of_a_worker_that_dies_while_loading_are_kept(tmp_path: Path) -> None:
    async def test() -> None:
        async with place(tmp_path) as here:
            wanted = here.write("import os\nos.write(1, b'farewell')\nos._exit(7)\n")
            with pytest.raises(ReleaseFailed, match="exited with code 7 while loading") as failed:
                await here.start(wanted)
            assert failed.value.detail == "farewell"

    run(test())


def test_an_operator_may_say_how_long_numpys_threads_spin() -> None:
    assert environment({})["OPENBLAS_THREAD_TIMEOUT"] == "20"
    assert environment({"OPENBLAS_THREAD_TIMEOUT": "26"})["OPENBLAS_THREAD_TIMEOUT"] == "26"


def test_an_interpreter_that_is_gone_is_a_failure_of_the_release(tmp_path: Path) -> None:
    async def test() -> None:
        config = WorkerConfig(
            model="Model",
            folder=f"{tmp_path}/",
            root=str(tmp_path),
            socket=str(tmp_path / "s"),
            max_body=1,
        )
        process = WorkerProcess(Launch(tmp_path / "no-python", config, {}, 10, Relay({})), lambda raised: None)
        with pytest.raises(ReleaseFailed, match=r"no-python, can't be started: .*No such file"):
            await process.start()
        assert not list(tmp_path.iterdir())

    run(test())


def test_a_worker_that_closes_or_spoils_its_channel_is_ended_and_replaced(tmp_path: Path) -> None:
    spoils = """
        import os, socket, stat

        class Spoils:
            def transform_predict(self, variables):
                for fd in map(int, os.listdir("/proc/self/fd")):
                    try:
                        if stat.S_ISSOCK(os.fstat(fd).st_mode):
                            with socket.socket(fileno=os.dup(fd)) as one:
                                if one.getpeername() == "" and one.getsockname() == "":
                                    os.write(fd, b"nonsense\\n")
                    except OSError:
                        pass
                return {}
    """

    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write(spoils))
            before = pool.workers[0].pid
            with contextlib.suppress(WorkerLost):  # it may be ended before it answers
                await ask(pool)
            await until(lambda: pool.workers and pool.workers[0].pid != before)
            assert any("something that is not a message" in report.message for report in here.reports)

    run(test())


def test_a_child_that_left_the_group_and_holds_the_output_open_holds_up_nothing(tmp_path: Path) -> None:
    escapes = """
        import os, subprocess

        class Escapes:
            def __init__(self):
                self.child = subprocess.Popen(["sleep", "1000"], start_new_session=True).pid
            def transform_predict(self):
                return {"child": self.child}
    """

    async def test() -> None:
        async with place(tmp_path) as here:
            await (await here.start(here.write())).stop()  # the loop opens some of its own at the first process
            descriptors = len(os.listdir("/proc/self/fd"))
            pool = await here.start(here.write(escapes))
            child = int((await ask(pool)).body.split(b":")[1].strip(b"} "))
            assert is_alive(child)
            async with asyncio.timeout(60):
                await pool.stop()
            os.kill(child, 9)
            await until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)

    run(test())


def test_a_worker_that_does_not_end_when_asked_is_ended(tmp_path: Path) -> None:
    stays = """
        import atexit, time
        atexit.register(time.sleep, 1000)

        class Stays:
            def transform_predict(self): ...
    """

    async def test() -> None:
        async with place(tmp_path) as here:
            pool = await here.start(here.write(stays))
            pid = pool.workers[0].pid
            async with asyncio.timeout(60):
                await pool.stop(0.5)
            assert not is_alive(pid)
            assert pool.over

    run(test())
