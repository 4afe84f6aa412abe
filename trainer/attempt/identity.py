"""Which process an attempt is, in files beside it, so that another daemon finds it; and how it is given up for good."""

from __future__ import annotations

import fcntl
import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.errors import PawlError
from core.process.descendants import Descendants

if TYPE_CHECKING:
    from collections.abc import Iterator


class GivenUp(PawlError):
    """The attempt was taken for lost before its process began."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """`process.json`. A pid is given to others in time; with the start it is not."""

    pid: int
    started: int
    """In clock ticks after the boot (proc_pid_stat(5), starttime)."""
    boot: str
    mark: int = 0
    """The lineage of all that it starts."""
    mask: int = 0

    @property
    def is_alive(self) -> bool:
        return self.boot == _boot() and _started(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Nothing, where it has ended."""
        with suppress(ProcessLookupError, PermissionError):
            handle = os.pidfd_open(self.pid)
            try:
                if self.is_alive:
                    signal.pidfd_send_signal(handle, number)
            finally:
                os.close(handle)

    @property
    def lineage(self) -> Descendants | None:
        return Descendants(self.mark, self.mask) if self.mask else None


def claim(folder: Path, lineage: Descendants | None) -> None:
    """Be the attempt's process. Raises GivenUp."""
    with _lock(folder):
        if (folder / "given-up").exists() or (folder / "process.json").exists():
            raise GivenUp(f"{folder} was given up, or has had its process")
        identity = Identity(
            pid=os.getpid(),
            started=_started(os.getpid()),
            boot=_boot(),
            mark=lineage.mark if lineage else 0,
            mask=lineage.mask if lineage else 0,
        )
        aside = folder / ".process.tmp"
        aside.write_bytes(msgspec.json.encode(identity))
        os.replace(aside, folder / "process.json")


def find(folder: Path) -> Identity | None:
    """None: no process has claimed the attempt."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder / "process.json").read_bytes(), type=Identity)
    return None


def give_up(folder: Path) -> bool:
    """No process can claim the attempt from now on; False: one has."""
    with _lock(folder):
        if (folder / "process.json").exists():
            return False
        (folder / "given-up").touch()
        return True


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Held for a moment."""
    with open(folder / "lock", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _started(pid: int) -> int:
    """-1: it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return -1
    return -1 if fields[0] in b"ZX" else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
