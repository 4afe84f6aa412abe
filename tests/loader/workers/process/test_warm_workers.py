from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from core.process.resources import Memory
from loader.workers.memory_guard import MemoryGuard
from loader.workers.process.warm_workers import WarmWorkers
from tests.loader.pools import PLAIN, ask, place, release_of, run, until
from tests.processes import is_alive

QUIET_S = 0.05
ROOMY = Memory(limit=100, used=10, limited=True)
PYTHON = Path(sys.executable)

LOOKS = """
import gc, os, re, resource, signal, sys, threading, warnings

class Looks:
    def __init__(self):
        self.seen = {
            "modules": list(sys.modules), "path": sys.path, "argv": sys.argv, "flags": str(sys.flags),
            "prefix": sys.prefix, "bytecode": sys.dont_write_bytecode, "filters": str(warnings.filters),
            "hooks": [str(type(each)) for each in sys.meta_path], "folder": os.getcwd(), "environ": dict(os.environ),
            "descriptors": sorted(leads_to(fd) for fd in range(64) if os.path.lexists(f"/proc/self/fd/{fd}")),
            "limits": [resource.getrlimit(each) for each in range(16)], "umask": os.umask(0o22), "nice": os.nice(0),
            "policy": os.sched_getscheduler(0), "cores": sorted(os.sched_getaffinity(0)), "parent": os.getppid(),
            "leads": [os.getpid() == os.getpgid(0), os.getpid() == os.getsid(0)], "threads": threading.active_count(),
            "signals": [str(signal.getsignal(each)).split(" at ")[0] for each in range(1, 32)],
            "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "gc": [gc.isenabled(), gc.get_threshold()],
            "oom": open("/proc/self/oom_score_adj").read(), "encoding": [sys.stdout.encoding, str(sys.stdin)],
            "buffers": [sys.stdout.line_buffering, sys.stderr.line_buffering],
        }
    def transform_predict(self):
        return self.seen | {"pid": os.getpid()}

def leads_to(fd):
    return re.sub(r":.*", "", os.readlink(f"/proc/self/fd/{fd}"))
"""


@asynccontextmanager
async def keeping(memory: Memory = ROOMY, most: int = 2, kept_s: float = 3600) -> AsyncIterator[WarmWorkers]:
    warm_workers = WarmWorkers(lambda: memory, most, QUIET_S, kept_s)
    try:
        yield warm_workers
    finally:
        await warm_workers.close()


@contextmanager
def inheritable() -> Iterator[None]:
    """A descriptor is open that whatever is started inherits, as some libraries leave them."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        yield
    finally:
        os.close(descriptor)


async def use(warm_workers: WarmWorkers, python: Path = PYTHON, environ: Mapping[str, str] = os.environ) -> int:
    """Have one, see that it could be used, end it; its process id."""
    unassigned = await warm_workers.obtain(python, environ)
    usable = unassigned.usable
    await unassigned.end()
    assert usable
    return unassigned.process.pid


async def made(warm_workers: WarmWorkers) -> int:
    """The process id of the only one that waits, once it does."""
    await until(lambda: warm_workers.pids)
    [pid] = warm_workers.pids
    return pid


async def one_is_made_elsewhere() -> None:
    """By then, one would have been made here as well."""
    async with keeping() as others:
        for number in range(2):
            await use(others, environ={**os.environ, "NUMBER": str(number)})
        await until(lambda: len(others.pids) == 2)


def test_a_start_takes_the_warm_worker_and_another_one_is_made(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping() as warm_workers, place(tmp_path, warm_workers=warm_workers) as here:
            await here.start(here.write())
            warm = await made(warm_workers)
            pool = await here.start(here.write("# changed\n" + LOOKS))
            assert pool.workers[0].pid == warm
            await until(lambda: warm_workers.pids)
            assert warm_workers.pids != (warm,)
        assert not warm_workers.pids

    run(test())


def test_a_worker_that_dies_is_replaced_by_the_warm_worker(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping() as warm_workers, place(tmp_path, warm_workers=warm_workers) as here:
            pool = await here.start(here.write())
            warm = await made(warm_workers)
            os.kill(pool.workers[0].pid, signal.SIGKILL)
            await until(lambda: pool.workers and pool.workers[0].pid == warm)

    run(test())


def test_an_author_can_not_tell_a_warm_worker_from_a_fresh_worker(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping() as warm_workers, place(tmp_path, warm_workers=warm_workers) as here:
            wanted = here.write(LOOKS)
            with inheritable():
                fresh = json.loads((await ask(await here.start(wanted))).body)
            warm = await made(warm_workers)
            aged = json.loads((await ask(await here.start(wanted))).body)
            assert fresh.pop("pid") != aged.pop("pid") == warm
            assert aged == fresh
            assert fresh["folder"] == str(here.starter.pools()[0].root / "Model")

    run(test())


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
def test_a_warm_worker_that_died_or_hangs_costs_nothing(harm: int) -> None:
    async def test() -> None:
        async with keeping() as warm_workers:
            await use(warm_workers)
            warm = await made(warm_workers)
            os.kill(warm, harm)
            await until(lambda: not is_alive(warm) or state(warm) == "T")
            assert await use(warm_workers) != warm
            await until(lambda: not is_alive(warm))

    run(test())


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_warm_worker_serves_only_the_interpreter_and_the_environment_that_it_has() -> None:
    async def test() -> None:
        async with keeping() as warm_workers:
            await use(warm_workers)
            warm = await made(warm_workers)
            assert await use(warm_workers, environ={**os.environ, "ANOTHER": "1"}) != warm
            assert await use(warm_workers) == warm

    run(test())


def test_a_warm_worker_is_not_used_once_packages_were_installed(tmp_path: Path) -> None:
    python = tmp_path / "bin/python"
    packages = tmp_path / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    packages.mkdir(parents=True)
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    (tmp_path / "pyvenv.cfg").write_text(f"home = {Path(os.path.realpath(sys.executable)).parent}\n")
    (packages / "what-a-worker-needs.pth").write_text(sysconfig.get_path("purelib") + "\n")

    async def test() -> None:
        async with keeping() as warm_workers:
            await use(warm_workers, python)
            warm = await made(warm_workers)
            (packages / "new.pth").touch()
            assert await use(warm_workers, python) != warm

    run(test())


def test_no_warm_worker_is_made_while_something_is_being_started() -> None:
    async def test() -> None:
        async with keeping() as warm_workers:
            with warm_workers.starting():
                await use(warm_workers)
                await one_is_made_elsewhere()
                assert not warm_workers.pids
            await made(warm_workers)

    run(test())


def test_a_release_on_its_way_has_the_machine_for_itself(tmp_path: Path) -> None:
    slow = f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}):\n    time.sleep(0.01)\n{PLAIN}"

    async def test() -> None:
        async with keeping() as warm_workers, place(tmp_path, warm_workers=warm_workers) as here:
            start = asyncio.create_task(here.start(here.write(slow)))
            await until(here.starter.pools)
            await one_is_made_elsewhere()
            assert not warm_workers.pids
            (tmp_path / "go").touch()
            await start
            await made(warm_workers)

    run(test())


def test_no_warm_worker_is_made_where_memory_is_short() -> None:
    async def test() -> None:
        async with keeping(Memory(limit=100, used=80, limited=True)) as warm_workers:
            await use(warm_workers)
            await one_is_made_elsewhere()
            assert not warm_workers.pids

    run(test())


def test_warm_workers_go_before_a_worker_does_when_memory_runs_out(tmp_path: Path) -> None:
    async def test() -> None:
        async with keeping() as warm_workers, place(tmp_path, warm_workers=warm_workers) as here:
            [worker] = (await here.start(here.write())).workers
            warm = await made(warm_workers)
            guard = MemoryGuard(here.starter.pools, lambda: Memory(100, 95, limited=True), warm_workers.give_up)
            await guard.check()
            assert (is_alive(warm), is_alive(worker.pid)) == (False, True)
            await guard.check()
            assert not is_alive(worker.pid)

    run(test())


def test_a_warm_worker_goes_before_a_push_fails_for_want_of_memory(tmp_path: Path) -> None:
    waited: list[int] = []

    def memory() -> Memory:
        return Memory(limit=100, used=90 if any(map(is_alive, waited)) else 50)

    async def needs_fifty() -> int:
        return 50

    async def test() -> None:
        async with keeping() as warm_workers, place(tmp_path, memory, warm_workers=warm_workers) as here:
            release = release_of(here.write())
            await here.start_release(release)
            waited.append(await made(warm_workers))
            await here.start_release(release, make_room=needs_fifty)

    run(test())


def test_warm_workers_are_of_the_interpreters_used_last_and_not_kept_for_ever() -> None:
    async def test() -> None:
        async with keeping(most=1, kept_s=0.5) as warm_workers:
            await use(warm_workers, environ={**os.environ, "NUMBER": "1"})
            first = await made(warm_workers)
            await use(warm_workers, environ={**os.environ, "NUMBER": "2"})
            await until(lambda: warm_workers.pids and warm_workers.pids != (first,))
            assert len(warm_workers.pids) == 1
            await until(lambda: not warm_workers.pids)

    run(test())


def test_closing_leaves_no_process_and_no_descriptor() -> None:
    async def test() -> None:
        await use(WarmWorkers(most=0))  # the loop opens some descriptors of its own
        descriptors = len(os.listdir("/proc/self/fd"))
        async with keeping() as warm_workers:
            await use(warm_workers)
            warm = await made(warm_workers)
        assert not is_alive(warm)
        await until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)

    run(test())
