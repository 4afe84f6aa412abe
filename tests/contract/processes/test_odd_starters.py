"""What a server inherits of whoever starts it: closed streams, blocked signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.serving import ROOT, echo, serving

BLOCKING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
os.execv(sys.argv[1], sys.argv[1:])
"""


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
