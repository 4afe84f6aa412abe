"""No answer and no line of the log tells a secret, a traceback, or where the server keeps its files."""

from __future__ import annotations

from pathlib import Path

from tests.repos import Repo
from tests.serving import Server, echo, serving

SECRETS = {
    "ADMIN_TOKEN": "planted-admin-token",
    "WEBHOOK_SECRET": "planted-webhook-secret",
    "usergit": "planted-git-user",
    "gitpassword": "planted-git-password",
    "DATABASE_URL": "postgresql://planted-user:planted-password@127.0.0.1:1/none?connect_timeout=2",
}
PATHS = (
    *("", "/", "/docs", "/openapi.json", "/all", "/Echo", "/Echo/v1", "/Echo/v9", "/Echo/", "/Nobody", "/Nobody/v1"),
    *("/-/", "/-/sync", "/-/api/", "/-/api/models", "/-/api/models/Echo", "/-/api/models/Nobody", "/-/api/events"),
    *(
        "/-/api/models/Echo/retry",
        "/-/static/x",
        "/-/static/..%2f..%2f",
        "/%00",
        "/%ff",
        "/..%2fEcho",
        "/" + "x" * 5000,
    ),
    *("/-/api/runs", "/-/api/runs/%00", "/-/api/runs/0123456789ab/log?follow=1", "/-/api/runs/x/artifact"),
    *("/-/api/models/Echo/runs", "/-/api/runs/x/accept", "/-/api/runs?cursor=%00", "/-/api/runs?state=x"),
    *("/-/sync?wait=x", "/-/api/events?limit=x", "/-/api/events?cursor=%00", "/-/api/models/%00%0a", "/?x=%ff"),
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
BODIES = (b"", b"{", b"\xff\x00", b'{"variables": 1}', b'{"other": {}}')


def test_nobody_learns_secrets_tracebacks_or_places_by_odd_requests(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    with serving(tmp_path / "data", repo.path, **SECRETS) as server:
        server.wait(lambda: "trying again" in server.log, "that the database is away")
        for content in _answers(server):
            _look(content, "planted-", "Traceback", str(tmp_path / "data"), "daemon.sock")
        for path in ("/-/api/models", "/-/api/models/Echo", "/-/api/events"):
            _look(server.admin("GET", path).body, "planted-", "daemon.sock")
        assert "planted-" not in server.log
        assert "Traceback" not in server.log


def _answers(server: Server) -> list[bytes]:
    found = []
    for path in PATHS:
        for method in METHODS:
            for body in BODIES if method == "POST" else (b"",):
                answer = server.request(method, server.base + path, content=body)
                found.append(answer.body + str(answer.headers).encode())
    return found


def _look(content: bytes, *hidden: str) -> None:
    assert [word for word in hidden if word.encode() in content] == [], content[:2000]
