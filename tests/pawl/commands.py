"""Running `pawl` as its users do, on folders written for a test."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.serving import ROOT

ADDS = """
class Adds:
    "Adds up."

    def transform_predict(self, variables: dict):
        return {"sum": variables["a"] + variables["b"]}
"""


def write(folder: Path, etls: str | None = ADDS, **files: Any) -> Path:
    """A model's folder; `files` by name, with `__` for the dot, and as JSON what is no text."""
    folder.mkdir(parents=True, exist_ok=True)
    if etls is not None:
        (folder / "etls.py").write_text(textwrap.dedent(etls))
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def environ(cwd: Path, settings: Mapping[str, str]) -> dict[str, str]:
    others = ("git", "pawl", "pythonunbuffered")  # the last would have a pipe get each line at once, whoever writes it
    kept = {name: value for name, value in os.environ.items() if not name.lower().startswith(others)}
    return {**kept, "PYTHONPATH": str(ROOT), "DATA_DIR": str(cwd / "none"), "XDG_CONFIG_HOME": str(cwd), **settings}


def pawl(*arguments: str | Path, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pawl", *map(str, arguments)],
        cwd=cwd,
        env=environ(cwd, settings),
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done


def in_pipe(*arguments: str, cwd: Path, **settings: str) -> bytes:
    """What `pawl` writes to a pipe, byte by byte."""
    command = [sys.executable, "-m", "pawl", *arguments]
    return subprocess.run(command, cwd=cwd, env=environ(cwd, settings), stdout=subprocess.PIPE, check=True).stdout


def first_line(*arguments: str, cwd: Path, **settings: str) -> str:
    """What `pawl` writes first to a pipe; it is interrupted once that has come."""
    command = [sys.executable, "-m", "pawl", *arguments]
    with subprocess.Popen(command, cwd=cwd, env=environ(cwd, settings), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
    return line


def in_terminal(*arguments: str | Path, cwd: Path, until: str = "", says: str = "", **settings: str) -> str:
    """What `pawl` shows in a terminal in which `says` is typed; it is interrupted once it has shown `until`."""
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
        os.chdir(cwd)
        os.execve(
            sys.executable,
            [sys.executable, "-m", "pawl", *map(str, arguments)],
            {"COLUMNS": "200", **environ(cwd, settings), "TERM": "xterm"},
        )
    shown = b""
    with contextlib.suppress(OSError):  # the terminal's end
        os.write(terminal, says.encode())
        while piece := os.read(terminal, 65536):
            shown += piece
            if until and until.encode() in shown:
                os.write(terminal, b"\x03")
                until = ""
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode("utf-8", "replace")
