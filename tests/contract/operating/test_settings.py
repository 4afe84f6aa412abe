"""A server that can't start says why in one line, and exits with code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.repos import Repo
from tests.serving import ROOT, Server, echo, serving
from tests.waiting import PATIENCE_S


def _refusal(tmp_path: Path, cwd: Path = ROOT, **settings: str) -> str:
    """The one line with which the server doesn't start."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": "0", "DATA_DIR": str(tmp_path / "data")}
    ended = subprocess.run(
        [sys.executable, "-m", "server"],
        cwd=cwd,
        env=environ | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("pawl: ")
    return line.removeprefix("pawl: ")


SERVICE = {"PAWL_PORT": "tcp://10.0.0.1:8000", "PAWL_SERVICE_HOST": "10.0.0.1", "PAWL_PORT_8000_TCP_PROTO": "tcp"}
"""What Kubernetes sets in each pod beside a service named pawl."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose settings are written oddly, and which is in the way of others."""
    repo = Repo(tmp_path_factory.mktemp("settings") / "models")
    repo.commit_file("Echo/etls.py", echo("one"))
    odd = {"Base_Url": "loses", "PAWL_baseURL": "wins", "PAWL_ADMIN_TOKN": "hunter2", **SERVICE}
    with serving(repo.path.parent / "data", repo.path, **odd) as server:
        yield server


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [("PORT", "http", "port number"), ("pawl_sync_seconds", "0", "number of seconds")],
)
def test_a_wrong_value_names_the_variable_what_it_held_and_what_it_takes(
    tmp_path: Path, name: str, value: str, takes: str
) -> None:
    line = _refusal(tmp_path, **{name: value})
    assert line.startswith(f"{name} is {value!r}; it takes ")
    assert takes in line


def test_a_port_in_use_is_named(tmp_path: Path, server: Server) -> None:
    port = str(httpx.URL(server.url).port)
    line = _refusal(tmp_path, gitPath=server.settings.git_path, PORT=port)
    assert port in line
    assert "PORT" in line


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    assert "192.0.2.1" in _refusal(tmp_path, HOST="192.0.2.1")
    assert "no.such.host.invalid" in _refusal(tmp_path, HOST="no.such.host.invalid")


def test_a_data_dir_in_use_is_named_and_its_owner_goes_on(tmp_path: Path, server: Server) -> None:
    data = server.settings.data_dir
    line = _refusal(tmp_path, gitPath=server.settings.git_path, DATA_DIR=data)
    assert data in line
    assert "in use" in line
    assert server.score("Echo")["by"] == "one"


@pytest.mark.parametrize("content", ["2", "banana", ""])
def test_a_data_dir_of_another_format_is_left_alone(tmp_path: Path, content: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "format").write_text(content)
    line = _refusal(tmp_path)
    assert str(data) in line
    assert "DATA_DIR" in line
    assert (data / "format").read_text() == content


def test_a_data_dir_that_can_not_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in _refusal(tmp_path, DATA_DIR=str(tmp_path / "file"))


def test_without_a_repository_and_a_folder_to_serve_it_says_what_to_set(tmp_path: Path) -> None:
    line = _refusal(tmp_path, cwd=tmp_path)
    assert "gitPath" in line
    assert "models_serve" in line


def test_what_a_secret_held_is_never_shown(tmp_path: Path) -> None:
    line = _refusal(tmp_path, PORT="x", gitpassword="hunter2", ADMIN_TOKEN="hunter3", gitPath="https://a:hunter4@x/y")
    assert "hunter" not in line


def test_a_repository_that_can_not_be_reached_is_waited_for(tmp_path: Path) -> None:
    with serving(tmp_path / "data", tmp_path / "later", ready=False) as server:
        server.wait(lambda: str(tmp_path / "later") in server.log and "ERROR" in server.log, "the error")
        assert server.request("GET", f"{server.url}/healthz").status == 200
        server.request("GET", f"{server.url}/readyz").error(503, "not_ready")
        Repo(tmp_path / "later").commit_file("Echo/etls.py", echo("late"))
        server.sync()
        server.wait_ready()
        assert server.score("Echo")["by"] == "late"


def test_a_password_in_the_repositorys_address_is_in_no_log_and_no_answer(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "http://ada:hunter2@127.0.0.1:9/models.git", ready=False) as server:
        server.wait(lambda: "ERROR" in server.log, "the error")
        assert "hunter2" not in server.log
        for path in ("/-/api/models", "/-/api/events"):
            assert b"hunter2" not in server.admin("GET", path).body
        assert b"hunter2" not in server.get("/").body
        assert "hunter2" not in server.log


def test_names_match_without_case_and_underscores_and_the_prefixed_one_wins(server: Server) -> None:
    assert server.request("POST", f"{server.url}/wins/Echo").status == 200
    assert server.request("POST", f"{server.url}/loses/Echo").status == 404


def test_a_misspelt_setting_is_warned_of_and_a_service_named_pawl_is_not(server: Server) -> None:
    warned = [line for line in server.lines if "not a setting of Pawl" in line]
    assert [line.partition(" WARN  ")[2] for line in warned] == [
        "the variable PAWL_ADMIN_TOKN is not a setting of Pawl and is ignored; did you mean PAWL_ADMIN_TOKEN?"
    ]
    assert "hunter2" not in server.log
