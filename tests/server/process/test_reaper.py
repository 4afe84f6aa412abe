from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from server.process.reaper import MARK, reap
from tests.processes import is_alive, wait_dead
from tests.serving import ROOT
from tests.waiting import wait_for

DAEMON = """
import os, subprocess, sys, time
from server.process.reaper import start_reaper
start_reaper()
inner = "import subprocess, time; subprocess.Popen(['sleep', '1000'], start_new_session=True); time.sleep(1000)"
subprocess.Popen([sys.executable, "-c", inner], start_new_session=True)
print("started", flush=True)
{then}
"""


def marked(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environ = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in environ and is_alive(int(folder.name)):
            found.append(int(folder.name))
    return found


def children(pid: int) -> list[int]:
    """Of the daemon: those that carry its mark."""
    parents = {int(path.parent.name): path for path in Path("/proc").glob("[0-9]*/stat")}
    for child, path in parents.items():
        try:
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                environ = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
                marks = [one.decode() for one in environ if one.startswith(f"{MARK}=".encode())]
                if marks:
                    return marked(marks[0])
        except OSError:
            continue
    return []


def daemon(then: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", DAEMON.format(then=then)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_what_a_killed_daemon_started_is_ended_however_deep_and_apart() -> None:
    with daemon("time.sleep(1000)") as process:
        found = wait_for(lambda: len(all := children(process.pid)) == 2 and all, "both processes")
        process.kill()
        wait_dead(found, "what it started")


def test_what_a_daemon_leaves_when_it_exits_is_ended_and_its_output_closes() -> None:
    with daemon("sys.stdin.read()") as process:
        found = wait_for(lambda: len(all := children(process.pid)) == 2 and all, "both processes")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(100) == 0
        wait_dead(found, "what it left")


def test_nothing_else_is_touched() -> None:
    environ = {name: value for name, value in os.environ.items() if name != MARK}
    mine, other = (
        subprocess.Popen(["sleep", "1000"], env={**environ, MARK: mark}) for mark in ("the-mark", "the-mark-of-another")
    )
    try:
        wait_for(lambda: len(marked(f"{MARK}=the-mark")) == 1, "the sleep")
        reap(f"{MARK}=the-mark".encode())
        assert mine.wait(100) == -9
        assert is_alive(other.pid)
        assert is_alive(os.getpid())
    finally:
        other.kill()
        other.wait()
