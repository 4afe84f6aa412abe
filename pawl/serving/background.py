"""A server that goes on when its terminal is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from core.errors import PawlError
from core.settings.reading import read_settings
from core.settings.settings import Settings
from pawl.exits import CONFLICT, FAILED, USAGE, CommandFailed
from pawl.terminal.json_output import check_fields, print_json
from server.process import own_log
from server.process.running_file import Running, read_running

_LOOK_S = 0.05
_LONGEST_S = 120.0
_ROOT = Path(__file__).parents[2]


def start(fields: str | None) -> int:
    """Start it, and say where it listens. Raises CommandFailed; what it printed before it ended is printed then."""
    check_fields(fields or "", ("pid", "url", "admin_url", "log"))
    settings = settings_here()
    if (running := read_running(settings.data)) is not None:
        raise CommandFailed(CONFLICT, f"a server runs here already, at {running.url}; 'pawl stop' ends it")
    log = settings.data / own_log.NAME
    with _opened(log) as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "server"],
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_outlive_terminals,
        )
    running = _wait(settings, process, log)
    if fields is not None:
        told = {"pid": running.pid, "url": running.url, "admin_url": running.admin_url, "log": str(log)}
        print_json(told, fields)
        return 0
    printed = log.read_text(errors="replace")
    if fault := _write_fault(log, printed):
        sys.stderr.write(f"pawl: {fault}; what it says is lost until there is room\n")
    sys.stdout.write(printed or f"Pawl is listening on {running.url}\n")
    sys.stdout.write(f"It is process {running.pid}; what it says from now on goes to {log}.\n")
    sys.stdout.write("'pawl ls' lists its models, 'pawl stop' ends it.\n")
    return 0


def _outlive_terminals() -> None:
    """Ignore SIGHUP, as a server does that nohup has started."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def settings_here() -> Settings:
    """Raises CommandFailed."""
    try:
        return read_settings(os.environ)
    except PawlError as error:
        raise CommandFailed(USAGE, str(error)) from error


def _opened(log: Path) -> IO[bytes]:
    """Empty; what the server before printed is kept beside it."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_suffix(".1"))
        return open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))
    except OSError as error:
        raise CommandFailed(
            USAGE, f"{log} can't be written: {error}; DATA_DIR takes a folder we can write to"
        ) from error


def _write_fault(log: Path, printed: str) -> str:
    """What keeps a server that printed nothing from it; empty where nothing does."""
    if printed:
        return ""
    try:
        with open(log, "ab", buffering=0) as output:
            output.write(b"\n")
    except OSError as error:
        return f"{log} can't be written: {error.strerror}"
    return ""


def _wait(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> Running:
    end = time.monotonic() + _LONGEST_S
    while time.monotonic() < end:
        code = process.poll()
        if code is not None:
            printed = log.read_text(errors="replace")
            sys.stderr.write(printed)
            fault = _write_fault(log, printed)
            why = f"{fault}; make room, or give DATA_DIR another folder" if fault else "it said why above"
            raise CommandFailed(max(code, FAILED), f"the server ended before it served: {why}")
        running = read_running(settings.data)
        if running is not None and running.pid == process.pid:
            return running
        time.sleep(_LOOK_S)
    raise CommandFailed(FAILED, f"it has not begun to serve after {_LONGEST_S:g} s; {log} says what it does")
