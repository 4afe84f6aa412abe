"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.processes import descendants, is_alive
from tests.waiting import wait_for

USER = "postgres"


def find_programs() -> Path | None:
    """The folder of PostgreSQL's programs: Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


class Postgres:
    """A cluster in `folder`, which listens on a Unix socket there."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        self._data = folder / "data"
        self.url = self.url_for(USER)

    def url_for(self, login: str) -> str:
        """Of the one database, for a user (`name` or `name:password`)."""
        return f"postgresql://{login}@/postgres?host={self.folder}"

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off"
        self._control("--wait", "--log", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """At once, cutting off its clients, as a crash does."""
        self._control("--mode", "immediate", "stop")

    def kill(self) -> None:
        """All its processes, with no word to any."""
        os.kill(self.pid(), signal.SIGSTOP)  # it begins no other from here on
        pids = {self.pid(), *descendants(self.pid())}
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(map(is_alive, pids)), "PostgreSQL to be gone")  # it does not start beside one of them
        for lock in (self._data / "postmaster.pid", *self.folder.glob(".s.PGSQL.*.lock")):
            lock.unlink()  # it names a process that nobody has reaped yet, which would count as a running one

    def pid(self) -> int:
        """Of the process that all others of it come from."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def make(self) -> None:
        _run(self._programs / "initdb", "--pgdata", self._data, "--auth=trust", "--username", USER, "--no-sync")

    def add_user(self, name: str, password: str) -> None:
        """One that has to show its password, and may do everything."""
        access = self._data / "pg_hba.conf"
        access.write_text(f"local all {name} scram-sha-256\n{access.read_text()}")
        self._control("reload")
        self.execute(f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD '{password}'")

    def execute(self, statement: str) -> None:
        _run(self._programs / "psql", "--quiet", "--host", self.folder, "--username", USER, "--command", statement)

    def _control(self, *arguments: object) -> None:
        _run(self._programs / "pg_ctl", "--pgdata", self._data, *arguments)


@contextmanager
def running_postgres(programs: Path) -> Iterator[Postgres]:
    """An empty database. PostgreSQL refuses to run as root: then it runs as the user that Debian makes."""
    folder = Path(mkdtemp(prefix="pawl-pg-", dir="/tmp"))  # short: a Unix socket's path has a limit
    postgres = Postgres(programs, folder)
    try:
        if os.getuid() == 0:
            os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
        postgres.make()
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def needed_postgres() -> Iterator[Postgres]:
    """Likewise, for a test: where PostgreSQL is not installed, that is skipped."""
    programs = find_programs()
    if programs is None:
        pytest.skip("NO PostgreSQL HERE: on Debian and Ubuntu, apt-get install postgresql")
    with running_postgres(programs) as postgres:
        yield postgres


def _run(*command: object) -> None:
    as_user = ["runuser", "--user", USER, "--"] if os.getuid() == 0 else []
    done = subprocess.run(
        [*as_user, *map(str, command)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout.decode()
