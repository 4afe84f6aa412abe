"""`running.json` in DATA_DIR: which process is the daemon, and where it listens; for commands on the same machine."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import msgspec

log = logging.getLogger("pawl")

NAME = "running.json"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    pid: int
    started: int
    """The process's start, in the kernel's ticks: a process that got its number later has another."""
    url: str
    """Where models are, with the base path."""
    admin_url: str
    """Where the admin API is; the same, but for ADMIN_BIND."""

    @property
    def is_alive(self) -> bool:
        return start_of(self.pid) == self.started


class RunningFile:
    """The file, as a part of the daemon that writes it: there while it serves."""

    def __init__(self, folder: Path, url: str, admin_url: str) -> None:
        self._folder = folder
        self._urls = url, admin_url

    async def start(self) -> None:
        try:
            write_running(self._folder, *self._urls)
        except OSError as error:
            log.warning(
                "commands on this machine can't find this server by itself: %s can't be written: %s", NAME, error
            )

    async def stop(self) -> None:
        """The file stays: until the process ends, it is what a command waits for."""


def write_running(folder: Path, url: str, admin_url: str) -> None:
    """Say that it is this process. On a full disk the place of the file before does. Raises OSError."""
    pid, file = os.getpid(), folder / NAME
    content = msgspec.json.encode(Running(pid=pid, started=start_of(pid), url=url, admin_url=admin_url))
    aside = folder / f"{NAME}.tmp"
    try:
        aside.write_bytes(content)
        aside.rename(file)
    except OSError as error:
        aside.unlink(missing_ok=True)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not file.exists():
            raise
        with open(file, "r+b") as before:
            before.write(content)
            before.truncate()


def read_running(folder: Path) -> Running | None:
    """None where none runs, or none can be told."""
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.is_alive else None


def start_of(pid: int) -> int:
    """0 where there is no such process, or one that is over (proc_pid_stat(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])
