"""Gateways that die or hang are replaced, and whoever connects meanwhile is served."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.processes import is_alive
from tests.repos import Repo
from tests.risky import write_risky
from tests.serving import Server, serving


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("gateways") / "models")
    write_risky(repo, "Risky")
    repo.commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


@pytest.fixture(scope="module")
def twins(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "twins", repo.path, GATEWAYS="2") as server:
        server.wait(lambda: len(server.gateways()) == 2, "both gateways")
        yield server


def test_no_connection_is_refused_while_the_only_gateway_is_replaced(server: Server) -> None:
    stop, answered, refused = threading.Event(), [0], list[str]()

    def ask() -> None:
        while not stop.is_set():
            try:
                with httpx.Client(timeout=100) as client:  # a connection of its own each time
                    answered[0] += client.post(f"{server.base}/Risky", json={}).status_code == 200
            except httpx.ConnectError as error:
                refused.append(str(error))
            except httpx.TransportError:
                pass  # what the killed gateway had is lost with it

    asker = threading.Thread(target=ask)
    asker.start()
    for _ in range(2):
        (gateway,) = server.gateways()
        os.kill(gateway, signal.SIGKILL)
        server.wait(lambda gateway=gateway: server.gateways() not in ([], [gateway]), "another gateway")
        before = answered[0]
        server.wait(lambda before=before: answered[0] > before, "answers by the new gateway")
    stop.set()
    asker.join()
    assert not refused
    assert server.events("gateway_lost")


def test_a_push_goes_live_though_a_gateway_hangs_which_is_replaced(twins: Server, repo: Repo) -> None:
    hung = twins.gateways()[0]
    os.kill(hung, signal.SIGSTOP)
    write_risky(repo, "Risky", edition=2)
    repo.commit()
    with httpx.Client(timeout=100) as client:
        twins.wait(lambda: editions(twins, client) == {2}, "the new release on every gateway")
    twins.wait(lambda: not is_alive(hung), "the end of the one that hangs")
    twins.wait(lambda: len(twins.gateways()) == 2, "its replacement")
    twins.wait_live("Risky", "v2")
    assert twins.events("gateway_lost")


def editions(server: Server, client: httpx.Client) -> set[int]:
    """What a few new connections are answered by; nothing while one of them hangs."""
    found = set()
    try:
        client.post(f"{server.base}/-/sync", headers={"authorization": "Bearer the-admin-token"}, timeout=0.5)
        for _ in range(4):
            with httpx.Client(timeout=0.5) as one:
                found.add(one.post(f"{server.base}/Risky", json={}).json()["edition"])
    except httpx.TransportError:
        return set()
    return found


def test_a_gateway_that_hangs_while_nothing_changes_is_found_out_and_replaced(twins: Server) -> None:
    hung = min(twins.gateways())  # the elder: the other may have been started a moment ago
    os.kill(hung, signal.SIGSTOP)
    twins.wait(lambda: not is_alive(hung), "its end")
    twins.wait(lambda: len(twins.gateways()) == 2, "its replacement")
    with httpx.Client(timeout=100) as client:
        twins.wait(lambda: editions(twins, client) == {2}, "answers")
