from __future__ import annotations

import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pawl.commands import pawl
from tests.ports import free_port
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("sync") / "models")
    repo.write("Echo/etls.py", echo("one")).write("Other/etls.py", echo("other")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


def sync(server: Server, *options: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    return pawl("sync", *options, cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=token)


def test_it_ends_when_the_push_is_live(server: Server, repo: Repo) -> None:
    repo.commit_file("Echo/etls.py", echo("two"))
    done = sync(server, "--wait")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split("\t")[:3] for line in done.stdout.splitlines()] == [
        ["Echo", "live", "v2"],
        ["Other", "unchanged", "v1"],
    ]
    assert server.score("Echo")["by"] == "two"


def test_a_failed_push_ends_it_with_1_and_the_reason(server: Server, repo: Repo) -> None:
    repo.commit_file("Other/etls.py", "raise RuntimeError('no\\nluck')\n")
    done = sync(server, "--wait", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["models"]["Other"]["state"] == "failed"
    assert "luck" in found["models"]["Other"]["message"]
    assert len(sync(server, "--wait").stdout.splitlines()) == 2, "a line for each model, whatever its message holds"
    repo.commit_file("Other/etls.py", echo("mended"))
    assert sync(server, "--wait").returncode == 0


def test_folders_that_are_left_out_are_told_and_fail_nothing(server: Server, repo: Repo) -> None:
    repo.write("docs/etls.py", echo("docs")).write("Shout/ETLS.py", echo("shout")).commit()
    try:
        done = sync(server, "--wait")
        assert done.returncode == 0
        assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["Echo", "Other"]
        shout, docs = done.stderr.splitlines()
        assert shout == "pawl: Shout is left out: ETLS.py is not read; rename it to etls.py"
        assert docs.startswith("pawl: docs is left out: the name 'docs' is taken")
        as_json = sync(server, "--wait", "--json")
        assert as_json.stderr == done.stderr
        assert json.loads(as_json.stdout)["left_out"].keys() == {"Shout", "docs"}
    finally:
        repo.remove("docs").remove("Shout").commit()
    assert sync(server, "--wait").stderr == ""


def test_without_a_wait_it_asks_and_goes(server: Server) -> None:
    done = sync(server, "--json")
    assert done.returncode == 0
    assert set(json.loads(done.stdout)) == {"head", "models"}


def test_what_is_pending_when_the_time_is_over_ends_it_with_7(server: Server, repo: Repo, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.01)\n"
    repo.commit_file("Echo/etls.py", waits + echo("late"))
    try:
        done = sync(server, "--wait", "--timeout", "2")
        assert done.returncode == 7
        assert "Echo\tpending" in done.stdout
        assert "Echo" in done.stderr
    finally:
        gate.touch()
    assert sync(server, "--wait").returncode == 0


def test_a_wrong_token_and_none_end_it_with_4(server: Server) -> None:
    for token in ("wrong", "", "fälsch"):
        done = sync(server, "--wait", token=token)
        assert done.returncode == 4
        assert "PAWL_TOKEN" in done.stderr
        assert done.stdout == ""


def test_an_address_without_the_base_ends_it_with_3(server: Server) -> None:
    done = pawl("sync", "--server", server.url, cwd=server.settings.data, PAWL_TOKEN=TOKEN)
    assert done.returncode == 3
    assert "baseUrl" in done.stderr


def test_a_server_that_can_not_be_reached_ends_it_with_6(tmp_path: Path) -> None:
    done = pawl("sync", "--server", f"http://127.0.0.1:{free_port()}/models_serve", cwd=tmp_path)
    assert done.returncode == 6
    assert "--server" in done.stderr


@pytest.mark.parametrize(
    "address", ["models.example.org", "ftp://x/y", "http://", "http://[::1", "http://ada:hush@h/b"]
)
def test_what_is_no_address_ends_it_with_2_and_shows_no_password(tmp_path: Path, address: str) -> None:
    done = pawl("sync", "--server", address, cwd=tmp_path)
    assert done.returncode == 2
    assert "hush" not in done.stderr


@contextmanager
def another(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that is none of ours."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1/else")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/models_serve"
        finally:
            running.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"<html>", 6),
        (200, b'{"head": 1}', 6),
        (503, b"", 6),
        (504, b'{"error": "no"}', 6),
        (503, b'{"error": {"code": "control_plane_unavailable", "message": "no"}}', 6),
        (503, b'{"error": {"code": "registry_unavailable", "message": "the disk is full"}}', 1),
        (500, b'{"error": {"code": "internal", "message": "Pawl itself failed"}}', 1),
        (302, b"", 2),
    ],
)
def test_another_servers_answer_is_told_apart_from_a_failed_push(
    tmp_path: Path, status: int, body: bytes, code: int
) -> None:
    with another(status, body) as address:
        done = pawl("sync", "--wait", "--server", address, cwd=tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith("pawl: ")
