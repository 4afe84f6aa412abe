"""What becomes of the children that an author's code forks."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.worker.processes import serving

FORKS = """
    import ctypes, os, time
    class Forks:
        def transform_predict(self, variables):
            reading, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                if variables["outlives"]:
                    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
                os.write(writing, b".")
                time.sleep(600)
            os.read(reading, 1)
            return {"pid": pid}
"""


def test_a_forked_child_dies_with_its_worker(tmp_path: Path) -> None:
    with serving(tmp_path, FORKS) as worker:
        _, answer = worker.ask({"variables": {"outlives": False}})
        worker.process.kill()
        while not is_gone(answer["pid"]):
            pass


def test_a_forked_child_holds_no_connection_of_its_workers_open(tmp_path: Path) -> None:
    with serving(tmp_path, FORKS) as worker, worker.connect() as gateway:
        _, answer = gateway.ask({"variables": {"outlives": True}})
        try:
            worker.process.kill()
            with pytest.raises((EOFError, ConnectionResetError)):
                gateway.receive()
        finally:
            os.kill(answer["pid"], signal.SIGHUP)
            while not is_gone(answer["pid"]):
                pass


FORKS_AND_RETURNS = """
    import os
    class Forks:
        def transform_predict(self, variables):
            with open(variables["log"], "a") as log:
                log.write(f"{variables['n']}\\n")
            if variables["n"] % 50 == 25:
                os.fork()
            return {"pid": os.getpid()}
"""


@pytest.mark.parametrize("threads", [0, 2])
def test_a_forked_child_that_returns_takes_no_further_request(tmp_path: Path, threads: int) -> None:
    log = tmp_path / "log"
    with serving(tmp_path, FORKS_AND_RETURNS, threads=threads) as worker, worker.connect() as gateway:
        for n in range(1000):
            gateway.send({"variables": {"n": n, "log": str(log)}})
        answers = {gateway.receive().body for _ in range(1000)}
        assert answers == {b'{"pid":%d}' % worker.process.pid}
        while not all(is_gone(pid) for pid in children_of(worker.process.pid)):
            pass
        assert sorted(map(int, log.read_text().split())) == list(range(1000))


def children_of(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
