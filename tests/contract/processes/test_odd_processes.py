"""Models that do odd things to their own process hurt no other, and leave nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import descendants, is_alive, wait_dead
from tests.repos import Repo
from tests.serving import Server, serving

ODD = """
import multiprocessing, os, resource, signal, socket, subprocess, threading, time

POOL = None

class Odd:
    def __init__(self):
        if KEEPS_POOL:
            global POOL
            POOL = multiprocessing.Pool(2)

    def transform_predict(self, variables):
        return {"pid": os.getpid(), "said": getattr(self, variables["do"])()}

    def nothing(self): ...

    def use_the_pool(self):
        return POOL.map(abs, [-1, 2])

    def exit_in_a_thread(self):
        def leave():
            time.sleep(0.1)
            os._exit(3)
        threading.Thread(target=leave).start()

    def end_its_parent(self):
        os.kill(os.getppid(), signal.SIGKILL)

    def signal_everybody(self):
        os.kill(-1, signal.SIGURG)  # which is ignored by whoever does not ask for it

    def end_a_child(self):
        child = subprocess.Popen(["sleep", "1000"])
        child.kill()
        return child.wait()

    def block_signals(self):
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)

    def raise_the_limit_on_files(self):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        os.chdir("/")

    def cut_off_what_it_has_open(self):
        for descriptor in range(3, 100):
            try:
                os.ftruncate(descriptor, 0)
            except OSError:
                pass
        time.sleep(0.6)  # the daemon has read the status page meanwhile

    def keep_what_a_child_inherits(self):
        import ctypes
        if (pid := os.fork()) == 0:
            ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
            time.sleep(1000)
        return pid
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    repo = Repo(tmp_path_factory.mktemp("odd") / "models")
    for model in ("Odd", "Other"):
        repo.write(f"{model}/etls.py", ODD.replace("KEEPS_POOL", "False"))
    repo.write("Pool/etls.py", ODD.replace("KEEPS_POOL", "True"))
    repo.commit()
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


def replaced(server: Server, model: str) -> int:
    """After a push that changes the model: the worker that answers."""
    repo = Repo(Path(server.settings.git_path))
    source = (repo.path / f"{model}/etls.py").read_text()
    repo.write(f"{model}/etls.py", source + "#\n").commit()
    server.sync()
    return int(server.score(model, do="nothing")["pid"])


@pytest.mark.parametrize("what", ["block_signals", "raise_the_limit_on_files", "keep_what_a_child_inherits"])
def test_a_worker_is_replaced_whatever_it_did_to_itself(server: Server, what: str) -> None:
    other = server.score("Other", do="nothing")["pid"]
    odd = server.score("Odd", do=what)["pid"]
    pids = descendants(odd)
    server.wait(lambda: replaced(server, "Odd") != odd, "another worker")
    wait_dead(pids, "the worker and its children")
    assert server.score("Other", do="nothing")["pid"] == other


@pytest.mark.parametrize("what", ["end_its_parent", "signal_everybody"])
def test_a_model_that_would_signal_its_parent_fails_its_request_alone(server: Server, what: str) -> None:
    error = server.post("/Odd", {"variables": {"do": what}}).error(500, "model_error")
    assert "which serves the other models too" in error["message"]
    assert server.score("Odd", do="end_a_child")["said"] == -9
    assert server.process.poll() is None


def test_what_a_model_cuts_off_of_its_open_files_costs_nobody_anything(server: Server) -> None:
    odd = server.score("Odd", do="nothing")["pid"]
    assert server.score("Odd", do="cut_off_what_it_has_open")["pid"] == odd
    assert server.process.poll() is None


def test_a_thread_that_ends_the_process_costs_that_worker_alone(server: Server) -> None:
    other = server.score("Other", do="nothing")["pid"]
    odd = server.score("Odd", do="exit_in_a_thread")["pid"]
    server.wait(lambda: not is_alive(odd), "its end")
    server.wait(lambda: server.post("/Odd", {"variables": {"do": "nothing"}}).status == 200, "another worker")
    assert server.score("Other", do="nothing")["pid"] == other


def test_a_pool_of_processes_that_a_constructor_made_works_and_ends_with_its_worker(server: Server) -> None:
    before = server.score("Pool", do="use_the_pool")
    assert before["said"] == [1, 2]
    pids = descendants(before["pid"])
    assert len(pids) >= 3
    server.wait(lambda: replaced(server, "Pool") != before["pid"], "another worker")
    wait_dead(pids, "the worker and its pool")
