"""The command of the Dockerfile's HEALTHCHECK, run as it stands against a server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.dockerfile import environment, health_command
from tests.repos import Repo
from tests.serving import ROOT, Server, echo, serving
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("health")
    repo = Repo(home / "models")
    repo.commit_file("Echo/etls.py", echo("one"))
    with serving(home / "data", repo.path, HOST="0.0.0.0") as server:
        yield server


def check(**environ: str) -> subprocess.CompletedProcess[str]:
    program, *arguments = health_command()
    assert program == "python"
    defaults = {"PATH": os.environ["PATH"], "PAWL_DEFAULTS": environment()["PAWL_DEFAULTS"]}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=defaults | environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"PORT": "{port}"},
        {"PORT": '"{port}"'},
        {"PORT": "'{port}'", "HOST": ""},
        {"PAWL_PORT": "{port}"},
        {"PAWL_PORT": "{port}", "PORT": "1"},
        {"port": "{port}", "PAWL_PORT": "tcp://10.0.0.1:8000"},
        {"PORT": "", "PAWL_DEFAULTS": "HOST=0.0.0.0 PORT={port}"},
        {"PORT": "{port}", "HOST": "127.0.0.1"},
        {"PORT": "{port}", "http_proxy": "http://127.0.0.1:9"},
    ],
)
def test_the_check_finds_the_server_by_its_settings(server: Server, environ: dict[str, str]) -> None:
    port = httpx.URL(server.url).port
    done = check(**{name: value.format(port=port) for name, value in environ.items()})
    assert (done.returncode, done.stderr) == (0, "")


def test_an_empty_port_is_the_default_one() -> None:
    said = check(PORT="", HOST="127.0.0.99").stderr
    assert "http://127.0.0.99:8000/healthz does not answer" in said


def test_the_check_fails_in_one_line_where_nothing_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = check(PORT=str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"pawl: http://127.0.0.1:{port}/healthz does not answer: ")
    assert done.stderr.count("\n") == 1


def test_the_check_fails_where_another_status_is_answered() -> None:
    with answering(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n") as port:
        done = check(PORT=str(port))
    assert done.returncode == 1
    assert done.stderr == f"pawl: http://127.0.0.1:{port}/healthz answers 503\n"


def test_the_check_fails_where_no_http_is_answered() -> None:
    with answering(b"hello\r\n\r\n") as port:
        assert check(PORT=str(port)).returncode == 1


@contextmanager
def answering(what: bytes) -> Iterator[int]:
    """The port of a server that gives its one client that answer, whatever it asks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as client:
                client.recv(65536)
                client.sendall(what)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE_S)
