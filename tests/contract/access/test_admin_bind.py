"""`ADMIN_BIND`: the pages, the admin API and the metrics at another address."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.access.keys import bearer
from tests.pawl.commands import pawl
from tests.repos import Repo
from tests.serving import ROOT, TOKEN, Server, echo, serving

ADMIN = (
    "/-/",
    "/-/keys",
    "/-/signin",
    "/-/api/models",
    "/-/api/keys",
    "/-/nothing",
    "/-",
    "/%2d/",
    "/-/sync/../api/models",
)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("bind") / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    return repo


@pytest.fixture(scope="module")
def servers(repo: Repo) -> Iterator[tuple[Server, str]]:
    """A server, and where its operators go."""
    port = free_port()
    with serving(repo.path.parent / "data", repo.path, ADMIN_BIND=f"127.0.0.1:{port}") as server:
        yield server, f"http://127.0.0.1:{port}"


def test_operators_go_to_the_other_address_and_callers_find_nothing_of_it(servers: tuple[Server, str]) -> None:
    server, admin = servers
    for path in ADMIN:
        for method in ("GET", "POST"):
            answer = server.request(method, server.base + path, headers=bearer(TOKEN))
            answer.error(404, "not_found")
    server.request("GET", f"{server.url}/metrics").error(404, "not_found")
    base = f"{admin}{server.settings.base}"
    assert server.request("GET", f"{base}/-/api/models", headers=bearer(TOKEN)).json["items"][0]["name"] == "Echo"
    tried = server.request("GET", f"{base}/-/models/Echo/try", headers=bearer(TOKEN)).body.decode()
    assert f"curl -d &#39;{{}}&#39; {server.base}/Echo" in tried
    assert b"pawl_" in server.request("GET", f"{admin}/metrics").body
    assert server.request("GET", f"{base}/-/", headers={"accept": "text/html", **bearer(TOKEN)}).status == 200


def test_models_the_webhook_and_the_pages_files_stay(servers: tuple[Server, str]) -> None:
    server, _ = servers
    assert server.score("Echo")["by"] == "one"
    assert server.post("/-/sync", headers=bearer(TOKEN)).status == 202
    server.post("/-/sync").error(401, "unauthorized")
    page = server.get("/", headers={"accept": "text/html"}).body.decode()
    for file in re.findall(r'(?:href|src)="(/[^"]*/static/[^"]*)"', page):
        assert server.request("GET", server.url + file).status == 200, file


def test_an_event_says_who_asked_there(servers: tuple[Server, str]) -> None:
    server, admin = servers
    base = f"{admin}{server.settings.base}/-/api"
    made = server.request("POST", f"{base}/keys", json={"name": "x", "scopes": ["view"]}, headers=bearer(TOKEN)).json
    assert made["created_by"]["address"] == "127.0.0.1"


def test_an_address_that_is_taken_is_told_by_the_settings_name(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "d"), "PORT": "0"}
        ended = subprocess.run(
            [sys.executable, "-m", "server"],
            cwd=ROOT,
            env={**environ, "ADMIN_BIND": bind},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 2
    assert f"ADMIN_BIND {bind}" in ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0"])
def test_where_others_reach_it_nobody_reads_without_a_key(tmp_path: Path, repo: Repo, host: str) -> None:
    port = free_port()
    with serving(tmp_path / "data", repo.path, ADMIN_TOKEN="", ADMIN_BIND=f"{host}:{port}") as server:
        url = f"http://127.0.0.1:{port}{server.settings.base}/-/api/models"
        server.request("GET", url).error(401, "key_required")


def test_a_model_is_tried_by_the_address_of_operators(servers: tuple[Server, str], tmp_path: Path) -> None:
    server, admin = servers
    address = f"{admin}{server.settings.base}"
    system = server.request("GET", f"{address}/-/api/system", headers=bearer(TOKEN)).json
    assert system["models_url"] == server.base
    asked = {"PAWL_SERVER": address, "PAWL_TOKEN": TOKEN}
    tried = pawl("try", "Echo", "{}", cwd=tmp_path, **asked)
    assert tried.returncode == 0, tried.stderr
    assert json.loads(tried.stdout)["by"] == "one"
    missing = pawl("try", "Nobody", "{}", cwd=tmp_path, **asked)
    assert (missing.returncode, "Nobody" in missing.stderr) == (3, True)


def test_a_command_at_the_address_of_callers_is_told_of_the_other(servers: tuple[Server, str], tmp_path: Path) -> None:
    listed = pawl("ls", cwd=tmp_path, PAWL_SERVER=servers[0].base, PAWL_TOKEN=TOKEN)
    assert (listed.returncode, "ADMIN_BIND" in listed.stderr) == (3, True)
