"""Stopping: what is under way is finished, nothing new is taken, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.processes import command_line, is_alive, wait_dead
from tests.repos import Repo
from tests.risky import Held, ask, write_risky
from tests.serving import Server, serving
from tests.waiting import wait_for

FOR_EVER_S = "3600"
"""Longer than anything here waits for a stop."""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    write_risky(repo, "Risky")
    repo.commit()
    return repo


@contextmanager
def listener_that_never_answers() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


def ready(server: Server) -> int:
    return server.request("GET", f"{server.url}/readyz").status


def refuses(server: Server) -> bool:
    url = httpx.URL(server.url)
    try:
        socket.create_connection((url.host, url.port or 80), timeout=60).close()
    except ConnectionRefusedError:
        return True
    return False


def send(server: Server, number: int) -> None:
    """As a terminal sends Ctrl-C and its own end: to every process of the group."""
    (os.kill if number == signal.SIGTERM else os.killpg)(server.process.pid, number)


def command_lines(server: Server) -> list[str]:
    return [command_line(pid) for pid in server.pids() - {server.process.pid}]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_says_unready_refuses_new_connections_and_finishes_what_is_under_way(
    tmp_path: Path, repo: Repo, number: int
) -> None:
    with serving(tmp_path / "data", repo.path, GATEWAYS="2") as server:
        held = Held(tmp_path, server, "Risky")
        queued = held.queue(2)
        pids = server.pids()
        send(server, number)
        server.wait(lambda: ready(server) == 503, "not being ready")
        server.wait(lambda: refuses(server), "refusing connections")
        assert all(map(is_alive, server.workers()))
        assert [answer.status for answer in (held.let_go(), *(one.result(60) for one in queued))] == [200] * 3
        assert server.wait_ended() == 0
        wait_dead(pids, "every process")


def test_a_request_that_outlasts_the_grace_period_does_not_hold_up_the_stop(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path, STOP_TIMEOUT_S="1") as server:
        Held(tmp_path, server, "Risky")
        pids = server.pids()
        assert server.stop() == 0
        wait_dead(pids, "every process")


def test_a_second_signal_ends_everything_at_once_and_says_what_that_cost(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path, STOP_TIMEOUT_S=FOR_EVER_S) as server:
        Held(tmp_path, server, "Risky")
        pids = server.pids()
        server.process.send_signal(signal.SIGTERM)
        server.wait(lambda: "stopping" in server.log, "the beginning of the end")
        wait_for(lambda: is_over(server), "its end")
        assert server.wait_ended() == 1
        assert server.log.count("second signal: requests still in flight were cut off") == 1
        wait_dead(pids, "every process")


def is_over(server: Server) -> bool:
    """Asked again and again, since a signal that follows the first at once is taken for it."""
    server.process.send_signal(signal.SIGINT)
    return server.process.poll() is not None


def test_a_stop_does_not_wait_for_a_fetch_an_environment_or_an_import(tmp_path: Path, repo: Repo) -> None:
    with listener_that_never_answers() as silent:
        repo.write("Hangs/etls.py", "import time\ntime.sleep(1000)\n")
        repo.write("Needs/etls.py", "class A:\n    def transform_predict(self): ...\n")
        repo.write("Needs/requirements.txt", f"--index-url {silent}\nnothing-of-that-name==1\n").commit()
        with serving(tmp_path / "data", repo.path, ready=False, STOP_TIMEOUT_S=FOR_EVER_S) as server:
            server.wait(lambda: (server.state("Risky") or {}).get("live"), "the sound model")
            server.wait(lambda: any("uv" in line for line in command_lines(server)), "the build")
            server.wait(lambda: len(server.workers()) == 2, "the import")
            pids = server.pids()
            assert server.stop() == 0
            wait_dead(pids, "every process")


def test_a_stop_while_the_first_fetch_hangs_ends_it(tmp_path: Path) -> None:
    with (
        listener_that_never_answers() as silent,
        serving(tmp_path / "data", f"{silent}/models.git", ready=False) as server,
    ):
        server.wait(lambda: any("git" in line for line in command_lines(server)), "the fetch")
        pids = server.pids()
        assert server.stop() == 0
        wait_dead(pids, "every process")


def test_a_daemon_that_is_killed_takes_everything_with_it(tmp_path: Path, repo: Repo) -> None:
    with listener_that_never_answers() as silent:
        repo.write("Hangs/etls.py", "import re\nre.match('(a|aa)+$', 'a' * 100 + 'b')\n")
        repo.write("Needs/etls.py", "class A:\n    def transform_predict(self): ...\n")
        repo.write("Needs/requirements.txt", f"--index-url {silent}\nnothing-of-that-name==1\n").commit()
        with serving(tmp_path / "data", repo.path, ready=False) as server:
            server.wait(lambda: (server.state("Risky") or {}).get("live"), "the sound model")
            escaped = server.score("Risky", do="escape")["said"]
            ask(server, "Risky", do="match_for_ever")
            server.wait(lambda: any("uv" in line for line in command_lines(server)), "the build")
            server.wait(lambda: len(server.workers()) == 2, "the import")
            pids = server.pids() | {escaped}
            server.process.kill()
            wait_dead(pids, "every process")


def test_a_fetch_dies_with_a_daemon_that_is_killed(tmp_path: Path) -> None:
    with (
        listener_that_never_answers() as silent,
        serving(tmp_path / "data", f"{silent}/models.git", ready=False) as server,
    ):
        server.wait(lambda: any("remote-http" in line for line in command_lines(server)), "the fetch")
        pids = server.pids()
        server.process.kill()
        wait_dead(pids, "every process")


def test_a_restart_after_a_kill_comes_up_on_the_same_data_and_port(tmp_path: Path, repo: Repo) -> None:
    port = str(free_port())
    with serving(tmp_path / "data", repo.path, PORT=port) as server:
        server.process.kill()
        server.process.wait()
        wait_for(lambda: refuses(server), "the port")
    with serving(tmp_path / "data", repo.path, PORT=port, STOP_TIMEOUT_S=FOR_EVER_S) as server:
        assert server.score("Risky")["edition"] == 1
        assert server.stop() == 0, "an idle server waits for nothing"
