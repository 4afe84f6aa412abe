"""What a server inherits of whoever starts it: closed streams, blocked and ignored signals, a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.repos import Repo
from tests.risky import Held, write_risky
from tests.serving import ROOT, echo, serving

BLOCKING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
os.execv(sys.argv[1], sys.argv[1:])
"""

ON_TERMINAL = """
import os, sys
os.open(sys.argv[1], os.O_RDWR)  # the first process of a session that opens a terminal is on it from then on
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Terminal:
    """One that a test can close."""

    def __init__(self) -> None:
        self._ends = list(os.openpty())
        self.on_it = (sys.executable, "-c", ON_TERMINAL, os.ttyname(self._ends[1]))
        """The program that starts another as the first process of the terminal's session."""

    def close(self) -> None:
        """Its processes get SIGHUP."""
        while self._ends:
            os.close(self._ends.pop())


@contextmanager
def a_terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    try:
        yield terminal
    finally:
        terminal.close()


def write_model(tmp_path: Path) -> None:
    folder = tmp_path / "models_serve/Echo"
    folder.mkdir(parents=True)
    (folder / "etls.py").write_text(echo("it"))


def test_a_server_without_input_and_error_output_serves(tmp_path: Path) -> None:
    write_model(tmp_path)
    closing = ("sh", "-c", 'exec "$@" 0<&- 2>&-', "sh")
    with serving(tmp_path / "data", cwd=tmp_path, by=closing) as server:
        assert server.score("Echo")["by"] == "it"
        assert server.stop() == 0


def test_a_server_whose_signals_are_blocked_stops_when_it_is_told_to(tmp_path: Path) -> None:
    write_model(tmp_path)
    with serving(tmp_path / "data", cwd=tmp_path, by=(sys.executable, "-c", BLOCKING)) as server:
        assert server.score("Echo")["by"] == "it"
        server.process.send_signal(signal.SIGTERM)
        try:
            server.wait(lambda: server.process.poll() is not None, "its end", patience_s=30)
        finally:
            server.process.send_signal(signal.SIGKILL)  # of one that does not heed the other
        assert server.process.poll() == 0


def test_a_server_whose_terminal_is_closed_stops_and_finishes_what_is_under_way(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    write_risky(repo, "Risky")
    repo.commit()
    with a_terminal() as terminal, serving(tmp_path / "data", repo.path, by=terminal.on_it) as server:
        held = Held(tmp_path, server, "Risky")
        terminal.close()
        server.wait(lambda: server.request("GET", f"{server.url}/readyz").status == 503, "not being ready")
        assert held.let_go().status == 200
        assert server.wait_ended() == 0


def test_a_server_that_nohup_starts_goes_on_when_its_terminal_is_closed(tmp_path: Path) -> None:
    write_model(tmp_path)
    with a_terminal() as terminal, serving(tmp_path / "data", cwd=tmp_path, by=(*terminal.on_it, "nohup")) as server:
        terminal.close()
        server.process.send_signal(signal.SIGHUP)
        assert server.score("Echo")["by"] == "it"
        assert server.request("GET", f"{server.url}/readyz").status == 200
        assert server.stop() == 0


def test_a_server_whose_folder_is_gone_says_so_in_one_line(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    started = ["sh", "-c", 'rmdir "$PWD" && exec "$0" -m server', sys.executable]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "data"), "PORT": "0"}
    done = subprocess.run(started, cwd=gone, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "pawl: the folder that it is started in can't be used (No such file or directory); start it in another"
    ]
