"""Pawl's secrets stay with the daemon: a model's process finds them nowhere."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import Server, echo, serving

SECRETS = {
    "ADMIN_TOKEN": "secret-of-the-operator",
    "WEBHOOK_SECRET": "secret-of-the-webhook",
    "gitpassword": "secret-of-git",
    "PAWL_usergit": "secret-user",
}

SPY = """
import os, sys

FOUND = dict(os.environ)

def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(1_000_000).decode("latin-1")
    except OSError as error:
        return type(error).__name__

class Spy:
    def __init__(self, path):
        self.path = path

    def transform_predict(self, variables):
        what = variables["what"]
        if what == "environ":
            return {"environ": FOUND | dict(os.environ), "argv": sys.orig_argv}
        if what == "proc":
            pids = [pid for pid in os.listdir("/proc") if pid.isdecimal() and int(pid) != os.getpid()]
            files = [f"/proc/{pid}/{name}" for pid in pids for name in ("environ", "cmdline")]
            return {"parent": os.getppid(), "read": {file: read(file) for file in files}}
        try:
            open(self.path + "new.txt", "w").close()
            return {"wrote": True}
        except OSError:
            return {"wrote": False}
"""


UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Root without what makes it more than the owner of its files."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without privileges: a pod has none, and with them nothing can be kept from anybody."""
    by = UNPRIVILEGED if os.getuid() == 0 else ()
    if by and shutil.which(by[0]) is None:
        pytest.skip("NO setpriv HERE: as root nothing can be told of what a model may read (Debian: util-linux)")
    home = tmp_path_factory.mktemp("secrets")
    repo = Repo(home / "models")
    repo.write("Spy/etls.py", SPY).commit()
    database = f"sqlite:///{home}/secret-of-the-database.db"
    with serving(home / "data", repo.path, by=by, DATABASE_URL=database, **SECRETS) as server:
        yield server


def _hidden(server: Server) -> set[str]:
    return {*SECRETS.values(), "secret-of-the-database"}


def test_the_environment_of_a_model_holds_none_of_them(server: Server) -> None:
    found = server.score("Spy", what="environ")
    assert found["environ"]["PATH"], "what is no secret is there"
    said = str(found)
    assert not [secret for secret in _hidden(server) if secret in said]
    plain = {name.replace("_", "").lower().removeprefix("pawl") for name in found["environ"]}
    assert plain & {"gitpath", "gitpassword", "usergit", "admintoken", "webhooksecret", "databaseurl"} == set()


def test_a_model_can_not_read_them_out_of_other_processes(server: Server) -> None:
    found = server.score("Spy", what="proc")
    assert found["read"][f"/proc/{found['parent']}/environ"] in ("PermissionError", "FileNotFoundError")
    said = {file: content for file, content in found["read"].items() if any(s in content for s in _hidden(server))}
    assert not said, list(said)


def test_a_model_can_not_change_its_folder(server: Server) -> None:
    assert server.score("Spy", what="write") == {"wrote": False}


def test_sockets_are_for_the_servers_user_alone(server: Server) -> None:
    run = server.settings.data / "run"
    assert stat.S_IMODE(run.stat().st_mode) == 0o700


def test_the_log_says_what_follows_from_running_as_root(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models").write("Echo/etls.py", echo("one"))
    repo.commit()
    with serving(tmp_path / "data", repo.path) as server:
        assert server.log.count("Pawl runs as root") == (1 if os.geteuid() == 0 else 0)
