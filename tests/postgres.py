"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

USER = "postgres"


def find_programs() -> Path | None:
    """The folder of PostgreSQL's programs: Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@contextmanager
def running_postgres(programs: Path) -> Iterator[str]:
    """The URL of an empty database. PostgreSQL refuses to run as root: then it runs as the user that Debian makes."""
    folder = Path(mkdtemp(prefix="pawl-pg-", dir="/tmp"))  # short: a Unix socket's path has a limit
    try:
        if os.getuid() == 0:
            os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
        _run(programs / "initdb", "--pgdata", folder / "data", "--auth=trust", "--username", USER, "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        _run(
            programs / "pg_ctl", "--pgdata", folder / "data", "--wait", "--log", folder / "log", "-o", options, "start"
        )
        try:
            yield f"postgresql://{USER}@/postgres?host={folder}"
        finally:
            _run(programs / "pg_ctl", "--pgdata", folder / "data", "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


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
