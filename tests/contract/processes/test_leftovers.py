"""What a model starts ends with its worker, however far it has gone; nothing else does."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.risky import ask, is_alive, wait_dead
from tests.serving import Server, command_line, serving, wait_for

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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    repo = Repo(tmp_path / "models")
    write(repo, "Strays")
    write(repo, "Other")
    repo.commit()
    with serving(tmp_path / "data", repo.path) as server:
        yield server


def replace_by_a_push(server: Server, pid: int) -> None:
    repo = Repo(Path(server.settings.git_path))
    write(repo, "Strays", edition=2)
    repo.commit()
    server.sync()


def kill(server: Server, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def hang(server: Server, pid: int) -> None:
    ask(server, "Strays", do="hang")


def kill_the_daemon(server: Server, pid: int) -> None:
    server.process.kill()


def stop_the_server(server: Server, pid: int) -> None:
    assert server.stop() == 0


ENDS = [replace_by_a_push, kill, hang, stop_the_server, kill_the_daemon]


@pytest.mark.parametrize("end", ENDS)
def test_nothing_outlives_the_worker_that_started_it(server: Server, end: Callable[[Server, int], None]) -> None:
    worker = server.score("Strays", do="stray")
    others = server.score("Other", do="stray")
    assert all(map(is_alive, [*worker["said"], *others["said"]]))
    end(server, worker["pid"])
    wait_dead([worker["pid"], *worker["said"]], "the worker and all that it started")
    if server.process.poll() is None and end is not kill_the_daemon:
        assert all(map(is_alive, [others["pid"], *others["said"]]))


@pytest.mark.parametrize("end", [kill, kill_the_daemon])
def test_processes_that_start_each_other_for_ever_are_ended(
    server: Server, tmp_path: Path, end: Callable[[Server, int], None]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    worker = server.score("Strays", do="breed", path=str(tmp_path / "pipe"))
    wait_for(lambda: received(pipe), "some generations")
    end(server, worker["pid"])
    wait_for(lambda: received(pipe) == b"", "the end of all that hold the pipe")
    os.close(pipe)


def received(pipe: int) -> bytes | None:
    """None for nothing yet, nothing once nobody can write to it."""
    try:
        return os.read(pipe, 1 << 16)
    except BlockingIOError:
        return None


def reapers(server: Server) -> list[int]:
    return [pid for pid in server.pids() if "server.process.reaping" in command_line(pid)]


def test_a_reaper_that_is_killed_is_started_again_and_nothing_else_ends(server: Server) -> None:
    strays = server.score("Strays", do="stray")["said"]
    serve = [*server.workers(), *server.gateways(), server.process.pid]
    [first] = reapers(server)
    os.kill(first, signal.SIGKILL)
    server.wait(lambda: [pid for pid in reapers(server) if pid != first], "another reaper")
    assert all(map(is_alive, [*serve, *strays]))
    left = server.pids() | {*strays}
    server.process.kill()
    wait_dead(left, "everything")


def test_what_leaves_the_lineage_and_the_mark_on_purpose_outlives_the_daemon(server: Server) -> None:
    """As a training run does that is to go on over a restart."""
    [worker] = [server.score("Strays", do="nothing")["pid"]]
    marks = resource.prlimit(worker, 15)
    free = subprocess.Popen(["sleep", "1000"])
    try:
        assert marks[0] != resource.RLIM_INFINITY
        resource.prlimit(free.pid, 15, marks)
        resource.prlimit(free.pid, 15, (resource.RLIM_INFINITY, marks[1]))
        pids = server.pids()
        server.process.kill()
        wait_dead(pids, "the server")
        assert is_alive(free.pid)
    finally:
        free.kill()
        free.wait()
