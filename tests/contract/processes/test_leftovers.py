"""What a model starts ends with its worker, however far it has gone; nothing else does."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.processes import command_line, is_alive, wait_dead
from tests.repos import Repo
from tests.risky import ask
from tests.serving import Server, serving
from tests.waiting import wait_for

STRAYS = '''
import os, re, subprocess, sys, time

BREEDS = """
import os, time
pipe = os.open(PATH, os.O_WRONLY)
while True:  # always another process, and none that lives for longer than a moment
    if os.fork():
        os._exit(0)
    os.setsid()
    os.write(pipe, b".")
    time.sleep(0.001)
"""

DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        for stream in range(3):
            os.close(stream)
        time.sleep(1000)
"""

class Strays:
    """Edition EDITION."""

    def transform_predict(self, variables):
        return {"pid": os.getpid(), "said": getattr(self, variables["do"])(variables)}

    def nothing(self, variables):
        pass

    def stray(self, variables):
        daemon = subprocess.run([sys.executable, "-c", DAEMON], stdout=-1)
        own = subprocess.Popen(["sleep", "1000"], start_new_session=True).pid
        shell = subprocess.run(["setsid", "sh", "-c", "sleep 1000 >/dev/null & echo $!"], env={}, stdout=-1)
        return [own, *(int(one.stdout) for one in (daemon, shell))]

    def breed(self, variables):
        code = BREEDS.replace("PATH", repr(variables["path"]))
        subprocess.Popen([sys.executable, "-c", code], env={}, start_new_session=True)

    def hang(self, variables):
        re.match("(a|aa)+$", "a" * 100 + "b")
'''


def write(repo: Repo, model: str, edition: int = 1) -> None:
    repo.write(f"{model}/etls.py", STRAYS.replace("EDITION", str(edition)))
    repo.write(f"{model}/model.yaml", "serve: {timeout_s: 2}\n")


@contextmanager
def strays_of(folder: Path) -> Iterator[Server]:
    repo = Repo(folder / "models")
    write(repo, "Strays")
    write(repo, "Other")
    repo.commit()
    with serving(folder / "data", repo.path) as server:
        yield server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that no test ends."""
    with strays_of(tmp_path_factory.mktemp("leftovers")) as server:
        yield server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """One that its test may end."""
    with strays_of(tmp_path) as server:
        yield server


def replace_by_a_push(server: Server, pid: int) -> None:
    repo = Repo(Path(server.settings.git_path))
    write(repo, "Strays", edition=1 + repo.count("Strays"))
    repo.commit()
    server.sync()


def kill(server: Server, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def hang(server: Server, pid: int) -> None:
    ask(server, "Strays", do="hang")


def some_strays(server: Server) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the model Strays, and of another; with the worker that started each."""
    found = server.score("Strays", do="stray"), server.score("Other", do="stray")
    assert all(is_alive(pid) for each in found for pid in (each["pid"], *each["said"]))
    return found


@pytest.mark.parametrize("end", [replace_by_a_push, kill, hang])
def test_nothing_outlives_the_worker_that_started_it(server: Server, end: Callable[[Server, int], None]) -> None:
    server.wait(lambda: server.post("/Strays", {"variables": {"do": "nothing"}}).status == 200, "the worker")
    worker, others = some_strays(server)
    end(server, worker["pid"])
    wait_dead([worker["pid"], *worker["said"]], "the worker and all that it started")
    assert all(map(is_alive, [others["pid"], *others["said"]]))


def test_nothing_outlives_a_server_that_is_stopped(own: Server) -> None:
    worker, others = some_strays(own)
    assert own.stop() == 0
    wait_dead([worker["pid"], *worker["said"], *others["said"]], "the workers and all that they started")


def breed(server: Server, path: Path) -> int:
    """The reading end of a pipe that processes hold which start each other for ever."""
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    server.score("Strays", do="breed", path=str(path))
    wait_for(lambda: received(pipe), "some generations")
    return pipe


def wait_extinct(pipe: int) -> None:
    wait_for(lambda: received(pipe) == b"", "the end of all that hold the pipe")
    os.close(pipe)


def test_processes_that_start_each_other_for_ever_end_with_their_worker(server: Server, tmp_path: Path) -> None:
    pid = server.wait(lambda: server.post("/Strays", {"variables": {"do": "nothing"}}).json.get("pid"), "the worker")
    pipe = breed(server, tmp_path / "pipe")
    kill(server, pid)
    wait_extinct(pipe)


def test_a_daemon_that_is_killed_leaves_nothing_but_what_left_its_lineage_and_its_mark_on_purpose(
    own: Server, tmp_path: Path
) -> None:
    """As a training run does that is to go on over a restart."""
    worker, others = some_strays(own)
    pipe = breed(own, tmp_path / "pipe")
    marks = resource.prlimit(worker["pid"], 15)
    free = subprocess.Popen(["sleep", "1000"])
    try:
        assert marks[0] != resource.RLIM_INFINITY
        resource.prlimit(free.pid, 15, marks)
        resource.prlimit(free.pid, 15, (resource.RLIM_INFINITY, marks[1]))
        pids = own.pids()
        own.process.kill()
        wait_dead([*pids, *worker["said"], *others["said"]], "the server and all that was started")
        wait_extinct(pipe)
        assert is_alive(free.pid)
    finally:
        free.kill()
        free.wait()


def received(pipe: int) -> bytes | None:
    """None for nothing yet, nothing once nobody can write to it."""
    try:
        return os.read(pipe, 1 << 16)
    except BlockingIOError:
        return None


def reapers(server: Server) -> list[int]:
    return [pid for pid in server.pids() if "server.process.reaping" in command_line(pid)]


def test_a_reaper_that_is_killed_is_started_again_and_nothing_else_ends(own: Server) -> None:
    worker, _ = some_strays(own)
    serve = [*own.workers(), *own.gateways(), own.process.pid]
    [first] = reapers(own)
    os.kill(first, signal.SIGKILL)
    own.wait(lambda: [pid for pid in reapers(own) if pid != first], "another reaper")
    assert all(map(is_alive, [*serve, *worker["said"]]))
    left = own.pids() | {*worker["said"]}
    own.process.kill()
    wait_dead(left, "everything")
