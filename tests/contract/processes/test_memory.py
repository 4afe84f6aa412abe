"""Memory that a control group limits: the greedy worker is ended before the kernel ends anybody."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.risky import ask, write_risky
from tests.serving import serving
from tests.waiting import wait_for

LIMIT_MB = 700
AT_ONCE_MB = 350
"""Taken quickly; what comes then comes slowly enough for a guard that has to wait for a processor."""
GROWS = f"""
import time

class Grows:
    def transform_predict(self, variables):
        taken = []
        while len(taken) < {LIMIT_MB} * variables["times"]:
            taken.append(b"x" * 2**20)
            time.sleep(0.06 if len(taken) > {AT_ONCE_MB} else 0)
        return {{}}
"""
SHOWN = Path("/sys/fs/cgroup")
ENTER = 'echo $$ >"$0/cgroup.procs" && mount --bind "$0" "$1" && shift && exec "$@"'
"""`sh` in a mount namespace of its own: a program in group $0 that sees of the groups what it would in a container."""


class Group:
    """A control group with a limit, version 2 or 1, whichever has the memory here."""

    def __init__(self, name: str) -> None:
        is_v2 = "memory" in _text(SHOWN / "cgroup.controllers").split()
        self._shown = SHOWN if is_v2 else SHOWN / "memory"
        self._limit, self._kills = (
            ("memory.max", "memory.events") if is_v2 else ("memory.limit_in_bytes", "memory.oom_control")
        )
        self.folder = self._shown / name

    @property
    def by(self) -> list[str]:
        """The program that runs another in the group."""
        return ["unshare", "--mount", "sh", "-c", ENTER, str(self.folder), str(self._shown)]

    @property
    def killed(self) -> int:
        """Processes that the kernel has ended for want of memory."""
        lines = [line.split() for line in _text(self.folder / self._kills).splitlines()]
        return int(dict(lines)["oom_kill"])

    def make(self) -> None:
        """Raises OSError or CalledProcessError where that can't be done."""
        self.folder.mkdir()
        (self.folder / self._limit).write_text(str(LIMIT_MB * 2**20))
        subprocess.run([*self.by, "true"], check=True, capture_output=True, text=True)

    def remove(self) -> None:
        if self.folder.exists():
            wait_for(self._is_removed, "the group's processes to end")

    def _is_removed(self) -> bool:
        try:
            self.folder.rmdir()
        except OSError:
            return False
        return True


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.fixture
def group() -> Iterator[Group]:
    group = Group(f"pawl-test-{os.getpid()}")
    try:
        group.make()
    except (OSError, subprocess.CalledProcessError) as error:
        group.remove()
        said = (getattr(error, "stderr", None) or str(error)).strip()
        pytest.skip(f"NOT TESTED: the memory guard in a real control group, since none can be made: {said}")
    yield group
    group.remove()


def test_a_model_that_takes_ever_more_memory_is_ended_and_nobody_else_is(tmp_path: Path, group: Group) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Grows/etls.py", GROWS).write("Grows/model.yaml", "serve: {timeout_s: 100}\n")
    write_risky(repo, "Other")
    repo.commit()
    with serving(tmp_path / "data", repo.path, by=group.by) as server:
        other = server.score("Other")["pid"]
        growing = ask(server, "Grows", times=2)
        while not growing.done():
            assert server.score("Other")["pid"] == other
        growing.result().error(502, "worker_lost")
        (lost,) = server.wait(lambda: server.events("worker_lost"), "the event, which follows the answer")
        assert lost["model"] == "Grows"
        assert f"of the pod's {LIMIT_MB} MB are taken" in lost["message"]
        server.wait(lambda: server.post("/Grows", {"variables": {"times": 0}}).status == 200, "Grows again")
        assert server.score("Other")["pid"] == other
        assert group.killed == 0
