"""Who reads the admin API, and from where."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

READ = ("/-/api/models", "/-/api/models/Echo", "/-/api/events", "/-/api/runs")
MEGABYTE = 2**20

needs_ipv6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="NO IPv6 HERE")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("access") / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    return repo


@pytest.fixture(scope="module")
def open_server(repo: Repo) -> Iterator[Server]:
    """On this machine alone, without a token."""
    with serving(repo.path.parent / "open", repo.path, ADMIN_TOKEN="", WEBHOOK_SECRET="") as server:
        yield server


@pytest.mark.parametrize("host", ["0.0.0.0", pytest.param("::", marks=needs_ipv6)])
def test_reached_from_elsewhere_it_tells_nobody_anything_without_a_key(tmp_path: Path, repo: Repo, host: str) -> None:
    with serving(tmp_path / "data", repo.path, ADMIN_TOKEN="", HOST=host) as server:
        if host == "::":
            check_it_is_on_ipv6(server)
            port = int(server.url.rpartition(":")[2])
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
        for path in READ:
            assert "ADMIN_TOKEN" in server.get(path).error(401, "key_required")["message"], path
        assert server.get("/").status == 200
        assert server.score("Echo")["by"] == "one"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:1", "127.9.9.9:80", "localhost", "LOCALHOST:8000", "[::1]", "[::1]:8000"]
)
def test_on_this_machine_it_is_read_by_the_names_of_this_machine(open_server: Server, host: str) -> None:
    for path in READ:
        assert open_server.get(path, headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:8000"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "192.168.1.7:8000"},
        {"host": "[::ffff:192.168.1.7]"},
        {"host": "0.0.0.0:8000"},
        {"x-forwarded-host": "models.example.org"},
        {"x-forwarded-for": "203.0.113.7"},
        {"x-forwarded-for": "203.0.113.7, 127.0.0.1"},
        {"x-forwarded-for": "unknown"},
        {"forwarded": "for=203.0.113.7"},
        {"via": "1.1 proxy"},
        {"x-real-ip": "203.0.113.7"},
    ],
)
def test_a_page_from_elsewhere_and_who_comes_through_a_proxy_read_nothing_without_a_token(
    open_server: Server, headers: dict[str, str]
) -> None:
    for path in READ:
        message = open_server.get(path, headers=headers).error(403, "admin_disabled")["message"]
        assert "ADMIN_TOKEN" in message
        assert "127.0.0.1" in message
    assert open_server.get("/", headers=headers).status == 200, "what is served is no secret"


def test_a_request_that_names_no_host_reads_nothing_without_a_token(open_server: Server) -> None:
    answer = open_server.send(f"GET {open_server.settings.base}/-/api/models HTTP/1.0\r\n\r\n".encode(), "GET")
    assert answer is not None
    answer.error(403, "admin_disabled")


@pytest.fixture(scope="module")
def guarded(repo: Repo) -> Iterator[Server]:
    """One that has a token, and no secret for webhooks."""
    with serving(repo.path.parent / "guarded", repo.path, WEBHOOK_SECRET="") as server:
        yield server


def test_with_the_token_it_is_read_by_any_name(guarded: Server) -> None:
    headers = {"host": "models.example.org", "authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/-/api/models", headers=headers).status == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/-/signin"])
def test_a_page_that_is_open_to_all_says_to_readers_alone_what_is_followed(
    guarded: Server, repo: Repo, path: str
) -> None:
    browser = {"accept": "text/html"}
    told = guarded.get(path, headers={**browser, "authorization": f"Bearer {TOKEN}"})
    anybody = guarded.get(path, headers=browser)
    assert (told.status, anybody.status) == (200, 200)
    assert str(repo.path) in told.body.decode()
    assert str(repo.path) not in anybody.body.decode()


def test_where_only_a_token_is_set_a_sync_without_it_is_unauthorized(guarded: Server) -> None:
    for headers in ({}, {"x-gitlab-token": ""}, {"x-hub-signature-256": "sha256=" + "0" * 64}):
        guarded.post("/-/sync", headers=headers).error(401, "unauthorized")
    assert guarded.admin("POST", "/-/sync").status == 202


@needs_ipv6
def test_a_server_on_ipv6_says_where_it_is(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path, HOST="::1") as server:
        check_it_is_on_ipv6(server)


def check_it_is_on_ipv6(server: Server) -> None:
    assert server.url.startswith("http://[::1]:")
    assert server.score("Echo")["by"] == "one"
    server.wait(lambda: f"curl -d '{{}}' '{server.base}/Echo'" in server.log, "a command to copy")


def test_deliveries_that_nobody_signed_leave_nothing_in_the_daemons_memory(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path, WEBHOOK_SECRET="secret") as server:
        server.wait((tmp_path / "data" / "registry.db").exists, "the registry, whose imports take memory too")
        before = resident_mb(server.process.pid)
        signatures = [{}, {"x-hub-signature-256": "sha256=" + "0" * 64}] * 4
        answers = []

        def deliver(headers: dict[str, str]) -> None:
            answers.append(server.post("/-/sync", raw=b" " * 24 * MEGABYTE, headers=headers))

        deliveries = [threading.Thread(target=deliver, args=(headers,)) for headers in signatures]
        for delivery in deliveries:
            delivery.start()
        for delivery in deliveries:
            delivery.join()
        assert [answer.code for answer in answers] == ["unauthorized"] * len(signatures)
        assert resident_mb(server.process.pid) < before + 16


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / MEGABYTE
