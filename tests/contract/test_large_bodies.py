"""Bodies of a megabyte, several at once."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import Server, serving

ETLS = """
class Size:
    def transform_predict(self, variables):
        return {"size": len(variables["text"])}
"""
SIZE = 1 << 20
AT_ONCE = 4
"""Each is held in pieces, joined and sent on: together still less than the 16 MB that are kept."""
ROUNDS = 24


def faults(pids: Sequence[int]) -> int:
    """Pages that the kernel had to give those processes so far."""
    return sum(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7]) for pid in pids)


def ask(server: Server, rounds: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(lambda _: server.score("Size", text="x" * SIZE), range(AT_ONCE * rounds)):
            assert answer == {"size": SIZE}


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
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
