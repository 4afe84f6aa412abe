"""Bodies of a megabyte, several at once."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import Server, serving
from worker.wire.memory import private_memory

ETLS = """
import os, time
class Size:
    def transform_predict(self, variables):
        while not os.path.exists(variables.get("gate", "/")):
            time.sleep(0.01)
        return {"size": len(variables["text"])}
"""
SIZE = 1 << 20
AT_ONCE = 4
"""Each is held in pieces, joined and sent on: together still less than the 16 MB that are kept."""
ROUNDS = 24


pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told what to keep")


def private_mb(pids: Sequence[int]) -> int:
    return sum(map(private_memory, pids)) >> 20


def faults(pids: Sequence[int]) -> int:
    """Pages that the kernel had to give those processes so far."""
    return sum(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7]) for pid in pids)


def ask(server: Server, rounds: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(lambda _: server.score("Size", text="x" * SIZE), range(AT_ONCE * rounds)):
            assert answer == {"size": SIZE}


def test_a_body_takes_the_memory_of_those_before(tmp_path: Path) -> None:
    """Each page that is the system's in between is one to wait for: 256 a megabyte, and again where it is joined."""
    repo = Repo(tmp_path / "repo")
    repo.commit_file("Size/etls.py", ETLS)
    with serving(tmp_path / "data", repo.path) as server:
        ask(server, ROUNDS)
        for pids in (server.workers(), server.gateways()):
            before = faults(pids)
            ask(server, ROUNDS)
            assert faults(pids) - before < 150 * ROUNDS * AT_ONCE


def test_what_a_burst_of_large_bodies_took_goes_back_to_the_system(tmp_path: Path) -> None:
    """All wait for the model together, small ones among the large."""
    repo = Repo(tmp_path / "repo")
    repo.commit_file("Size/etls.py", ETLS)
    gate = tmp_path / "gate"
    with serving(tmp_path / "data", repo.path) as server, ThreadPoolExecutor(160) as pool:
        gateways = server.gateways()
        before = private_mb(gateways)
        sizes = [SIZE if number % 2 else number for number in range(320)]
        answers = pool.map(lambda size: server.score("Size", text="x" * size, gate=str(gate)), sizes)
        try:
            server.wait(lambda: private_mb(gateways) > before + 45, "the burst")
        finally:
            gate.touch()
        assert [answer["size"] for answer in answers] == sizes
        server.wait(lambda: private_mb(gateways) < before + 40, "the end of what it took")
