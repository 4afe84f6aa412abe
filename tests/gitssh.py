"""A real ssh server in front of git repositories, for tests: OpenSSH on a free port of this machine, one key."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from tests.waiting import wait_for

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass(frozen=True)
class SshServer:
    """Where it is, and what it takes to log in."""

    port: int
    user: str
    key: Path
    """The private key that it takes."""
    known_hosts: Path
    """The file that knows it."""

    def url(self, path: Path) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"


def can_run_sshd() -> bool:
    return Path(SSHD).exists() and shutil.which("ssh-keygen") is not None


@contextmanager
def running_sshd(folder: Path) -> Iterator[SshServer]:
    """`folder`: for its keys and its settings."""
    if os.getuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(exist_ok=True)  # Debian's service makes it at boot
    host_key, key = _make_key(folder / "host"), _make_key(folder / "user")
    port = free_port()
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{port} {host_key.with_suffix('.pub').read_text()}")
    settings = folder / "sshd_config"
    settings.write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {host_key}\nAuthorizedKeysFile {key}.pub\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n"
    )
    log = folder / "log"
    with subprocess.Popen([SSHD, "-D", "-f", str(settings), "-E", str(log)]) as process:
        try:
            wait_for(lambda: _answers(port), "sshd", log.read_text, lambda: process.poll() is None)
            yield SshServer(port, getpass.getuser(), key, known_hosts)
        finally:
            process.terminate()


def _make_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
