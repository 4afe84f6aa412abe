from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.processes import is_alive
from tests.worker.processes import BOOT, WAIT_S, starting, write_model
from worker.wire.messages import encode_message
from worker.wire.status_page import new_page

HANGS = """
    import time
    print("loading", flush=True)
    time.sleep(600)
"""

PARENT = """
import sys, time
from pathlib import Path
from tests.worker.processes import Worker
worker = Worker(Path(sys.argv[1]))
worker.process.stdout.readline()
print(worker.process.pid, flush=True)
time.sleep(600)
"""


def test_a_worker_dies_with_its_daemon_even_while_it_hangs(tmp_path: Path) -> None:
    folder = write_model(tmp_path, HANGS)
    command = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=BOOT.parents[1]) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    while is_alive(pid):
        pass


def test_a_worker_whose_daemon_went_before_it_began_loads_nothing(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with starting(write_model(tmp_path, HANGS)) as other:
        ours.sendall(encode_message(other.config))
    ours.close()
    passed = [theirs.fileno(), new_page()]
    with theirs, os.fdopen(passed[1]):
        command = [sys.executable, "-P", "-s", str(BOOT), *map(str, passed)]
        assert subprocess.run(command, pass_fds=passed, timeout=WAIT_S).returncode == 0


def test_a_worker_that_hangs_while_it_loads_shows_where(tmp_path: Path) -> None:
    with starting(write_model(tmp_path, HANGS)) as worker:
        assert worker.process.stdout is not None
        assert worker.process.stdout.readline() == b"loading\n"
        worker.process.send_signal(signal.SIGUSR2)
        assert worker.process.stderr is not None
        lines = iter(worker.process.stderr.readline, b"")
        assert any(b'etls.py", line' in line for line in lines)


def test_a_worker_that_a_library_ends_shows_where(tmp_path: Path) -> None:
    with starting(write_model(tmp_path, "import ctypes\nctypes.string_at(0)\n")) as worker:
        assert 'etls.py", line 2' in worker.errors()
        assert worker.wait() == -signal.SIGSEGV


def test_a_start_loads_nothing_that_only_some_models_need(tmp_path: Path) -> None:
    etls = """
        import sys
        COSTLY = {"numpy", "pandas", "onnxruntime", "asyncio", "pydantic", "pathlib"}
        LOADED = sorted(COSTLY & set(sys.modules))
        class A:
            def transform_predict(self):
                return {"loaded": LOADED, "ours": sorted(name for name in sys.modules if name.startswith("_pawl"))}
    """
    with starting(write_model(tmp_path, etls)) as worker:
        worker.ready()
        status, answer = worker.ask()
        assert (status, answer["loaded"]) == (200, [])
        assert "_pawl.serving.loop" in answer["ours"]


def test_programs_that_the_author_starts_hold_nothing_of_ours(tmp_path: Path) -> None:
    etls = """
        import subprocess, sys
        SHOW = "import os; from signal import *; print(os.listdir('/proc/self/fd'), *map(getsignal, (SIGTERM, SIGHUP)))"
        class A:
            def transform_predict(self):
                shown = subprocess.run([sys.executable, "-c", SHOW], stdout=-1, text=True, close_fds=False)
                return {"out": shown.stdout.strip()}
    """
    with starting(write_model(tmp_path, etls)) as worker:
        worker.ready()
        # 0, 1, 2 and the folder that is listed.
        assert worker.ask() == (200, {"out": "['0', '1', '2', '3'] 0 0"})
