"""The webhook and the admin API: who may use them, and what they do."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repos import Repo
from tests.serving import TOKEN, Answer, Server, echo, serving
from tests.waiting import PATIENCE_S

SECRET = "gehütetes Geheimnis"
DELIVERY = json.dumps({"ref": "refs/heads/main", "repository": {"full_name": "ada/models"}}).encode()
MEGABYTE = 2**20


def _signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("webhook") / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path, WEBHOOK_SECRET=SECRET) as server:
        yield server


def _deliver(server: Server, body: bytes = DELIVERY, **headers: str) -> Answer:
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return server.request(
        "POST", f"{server.base}/-/sync", content=body, headers={b"content-type": b"application/json", **named}
    )


def test_a_delivery_of_github_brings_a_push_live(server: Server, repo: Repo) -> None:
    repo.commit_file("Echo/etls.py", echo("pushed"))
    assert _deliver(server, X_GitHub_Event="push", X_Hub_Signature_256=f"sha256={_signed(DELIVERY)}").status == 202
    server.wait(lambda: server.score("Echo")["by"] == "pushed", "the push")


def test_deliveries_of_gitea_and_gitlab_are_taken(server: Server) -> None:
    assert _deliver(server, X_Gitea_Signature=_signed(DELIVERY)).status == 202
    assert _deliver(server, X_Gitlab_Token=SECRET).status == 202


def test_what_is_signed_are_the_bytes_whatever_they_are(server: Server) -> None:
    for body in (b"", b"payload=%7B%7D", b"\xff\0{", b" " * 3 * MEGABYTE):
        headers = {
            "X_Hub_Signature_256": f"sha256={_signed(body)}",
            "Content_Type": "application/x-www-form-urlencoded",
        }
        assert _deliver(server, body, **headers).status == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Hub_Signature_256": f"sha256={_signed(DELIVERY, 'another')}"},
        {"X_Hub_Signature_256": f"sha256={_signed(DELIVERY + b' ')}"},
        {"X_Hub_Signature_256": _signed(DELIVERY)},
        {"X_Hub_Signature_256": "sha256="},
        {"X_Hub_Signature_256": ""},
        {"X_Hub_Signature_256": "sha256=é"},
        {"X_Hub_Signature": f"sha1={hmac.new(SECRET.encode(), DELIVERY, 'sha1').hexdigest()}"},
        {"X_Gitea_Signature": f"sha256={_signed(DELIVERY)}"},
        {"X_Gitlab_Token": SECRET + "x"},
        {"X_Gitlab_Token": ""},
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer"},
    ],
)
def test_a_delivery_that_is_not_signed_with_the_secret_is_refused(server: Server, headers: dict[str, str]) -> None:
    answer = _deliver(server, **headers)
    answer.error(401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_who_has_the_admin_token_may_sync_and_wait_for_it(server: Server, repo: Repo) -> None:
    answer = server.admin("POST", "/-/sync?wait=50")
    assert (answer.status, answer.json["head"]) == (200, repo.head)
    assert server.admin("POST", "/-/sync").status == 202


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    head = f"POST {server.settings.base}/-/sync HTTP/1.1\r\nHost: here\r\nContent-Length: {40 * MEGABYTE}\r\n\r\n"
    answer = server.send(head.encode())
    assert answer is not None
    assert "MAX_BODY_MB" in answer.error(413, "body_too_large")["message"], "this is the gateway's bound"


def test_the_daemon_reads_no_body_that_is_announced_larger_than_any_delivery(server: Server) -> None:
    head = f"POST {server.settings.base}/-/sync HTTP/1.1\r\nHost: here\r\nContent-Length: {25 * MEGABYTE + 1}\r\n"
    signed = f"X-Hub-Signature-256: sha256={_signed(DELIVERY)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(PATIENCE_S)
        daemon.connect(str((server.settings.data / "run").resolve() / "daemon.sock"))
        daemon.sendall((head + signed).encode())
        answer = http.client.HTTPResponse(daemon, method="POST")
        answer.begin()
        assert (answer.status, json.loads(answer.read())["error"]["code"]) == (413, "body_too_large")


def test_a_body_larger_than_any_delivery_is_refused(server: Server) -> None:
    _deliver(server, b" " * (25 * MEGABYTE + 1)).error(413, "body_too_large")


@pytest.mark.parametrize("path", ["/-/api/models", "/-/api/models/Echo", "/-/api/events"])
def test_with_a_token_set_only_who_has_it_reads_the_admin_api(server: Server, path: str) -> None:
    server.get(path).error(401, "key_required")
    server.get(path, headers={"authorization": "Bearer wrong"}).error(401, "key_required")
    assert server.admin("GET", path).status == 200
    assert server.get(path, headers={"authorization": f"bearer {TOKEN}"}).status == 200


def test_only_who_has_the_token_retries(server: Server) -> None:
    server.post("/-/api/models/Echo/retry").error(401, "key_required")
    assert server.admin("POST", "/-/api/models/Echo/retry").status == 200
    server.admin("POST", "/-/api/models/Nobody/retry").error(404, "model_not_found")
    server.admin("GET", "/-/api/models/Nobody").error(404, "model_not_found")


def test_without_the_key_and_a_secret_nobody_may_change_anything(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path, ADMIN_TOKEN="") as server:
        for headers in ({}, {"X_Gitlab_Token": ""}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN}"}):
            _deliver(server, **headers).error(401, "unauthorized")
        server.post("/-/api/models/Echo/retry").error(401, "key_required")
        assert server.get("/-/api/models").status == 200, "read, on this machine alone, anybody may"


def test_with_a_secret_alone_the_webhook_works_and_the_admin_api_says_what_it_takes(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path, ADMIN_TOKEN="", WEBHOOK_SECRET=SECRET) as server:
        assert _deliver(server, X_Gitlab_Token=SECRET).status == 202
        _deliver(server).error(401, "unauthorized")
        assert "ADMIN_TOKEN" in server.post("/-/api/models/Echo/retry").error(401, "key_required")["message"]
