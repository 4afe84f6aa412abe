"""Workers that stand still: with no request to show it, or with one of several."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from tests.processes import is_alive
from tests.repos import Repo
from tests.risky import ask, write_risky
from tests.serving import Answer, Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    repo = Repo(tmp_path_factory.mktemp("standstill") / "models")
    for model in ("Holds", "Stopped", "Other"):
        write_risky(repo, model, timeout_s=1)
    write_risky(repo, "Threads", timeout_s=3, threads=4)
    write_risky(repo, "AllHang", timeout_s=2, threads=2)
    repo.commit()
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


def lost(server: Server, model: str) -> list[Any]:
    return [event for event in server.events("worker_lost") if event["model"] == model]


def wait_replaced(server: Server, model: str, before: int) -> Any:
    """The event of its loss."""
    server.wait(lambda: (answer := server.post(f"/{model}")).status == 200 and answer.json["pid"] != before, model)
    assert not is_alive(before)
    return lost(server, model)[0]


def test_a_worker_whose_own_thread_holds_the_interpreter_is_replaced_though_it_has_no_request(server: Server) -> None:
    before = server.score("Holds", do="hold_the_gil_later")["pid"]
    event = wait_replaced(server, "Holds", before)
    assert "stood still" in event["message"]
    assert event["detail"].index("in do_hold_the_gil") < 1_000


def test_a_worker_that_is_stopped_while_it_has_nothing_to_do_is_replaced(server: Server) -> None:
    before, other = server.score("Stopped")["pid"], server.score("Other")["pid"]
    os.kill(before, signal.SIGSTOP)
    server.wait(lambda: lost(server, "Stopped"), "the loss of the worker")  # which no request has shown
    assert "was the process stopped?" in wait_replaced(server, "Stopped", before)["message"]
    assert server.score("Other")["pid"] == other
    assert not lost(server, "Other")


def test_one_call_that_hangs_costs_the_calls_beside_it_nothing(server: Server) -> None:
    before = server.score("Threads")["pid"]
    hanging = ask(server, "Threads", do="wait_for_ever")
    neighbours: list[Future[Answer]] = []
    while not lost(server, "Threads"):
        if sum(not each.done() for each in neighbours) < 2:
            neighbours.append(ask(server, "Threads", do="sleep", seconds=1))
    under_way = [each for each in neighbours if not each.done()]
    for each in neighbours:
        if each.result(60).status != 200:  # asked when that worker took no more, and the other had yet to start
            each.result().error(503, "not_live")
    assert before in [each.result().json["pid"] for each in under_way if each.result().status == 200]
    assert hanging.result(60).status == 504
    [event] = lost(server, "Threads")
    assert "serve.timeout_s" in event["message"]
    assert event["detail"].index("in do_wait_for_ever") < 1_000
    assert len(event["detail"].splitlines()) < 60
    server.wait(lambda: server.post("/Threads").status == 200, "the worker that takes its place")
    assert server.score("Threads")["pid"] != before
    server.wait(lambda: not is_alive(before), "the end of the worker that was replaced")


def test_a_worker_whose_threads_all_hang_is_ended_at_once(server: Server, tmp_path: Path) -> None:
    for _ in range(10):  # on a busy machine the second may begin so late that it does not hang yet when the first does
        before = server.score("AllHang")["pid"]
        hanging = [ask(server, "AllHang", do="wait_for_ever") for _ in range(2)]
        event = wait_replaced(server, "AllHang", before)
        assert {each.result(60).status for each in hanging} <= {502, 504}
        if "was ended" in event["message"]:
            return
    raise AssertionError(event["message"])
