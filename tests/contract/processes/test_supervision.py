"""A model that dies, hangs, leaks or shouts hurts itself alone, and is back soon."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import is_alive, wait_dead
from tests.repos import Repo
from tests.risky import Held, ask, write_risky
from tests.serving import Server, serving

DEATHS = {"exit": "exited with code 3", "segfault": "SIGSEGV", "kill": "SIGKILL"}
HANGS = ("spin", "sleep", "hold_the_gil", "match_for_ever")


def folder(word: str) -> str:
    return word.title().replace("_", "")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("supervision") / "models")
    for word in (*DEATHS, *HANGS):
        write_risky(repo, folder(word), timeout_s=3 if word in HANGS else 30)
    write_risky(repo, "Twins", replicas=2)
    write_risky(repo, "Greedy", memory_mb=200)
    write_risky(repo, "Loop")
    write_risky(repo, "Plain")
    repo.commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


def events_of(server: Server, model: str, kind: str) -> list[Any]:
    return [event for event in server.events(kind) if event["model"] == model]


def wait_event(server: Server, model: str, kind: str) -> Any:
    return server.wait(lambda: events_of(server, model, kind), f"{kind} of {model}")[0]


def wait_back(server: Server, model: str) -> Any:
    """The model's answer once it gives one."""
    return server.wait(lambda: (answer := server.post(f"/{model}")).status == 200 and answer.json, f"{model} again")


@pytest.mark.parametrize("death", DEATHS)
def test_a_worker_that_dies_fails_what_it_has_once_and_is_replaced(server: Server, tmp_path: Path, death: str) -> None:
    model = folder(death)
    before = server.score(model)["pid"]
    held = Held(tmp_path, server, model, do=death)
    calls = tmp_path / "calls"
    queued = held.queue(3, begun=str(calls))
    for answer in [held.let_go(), *(answer.result(60) for answer in queued)]:
        answer.error(502, "worker_lost")
        assert int(answer.headers["retry-after"]) >= 1
    assert not calls.exists()
    assert wait_back(server, model)["pid"] != before
    assert DEATHS[death] in wait_event(server, model, "worker_lost")["message"]
    assert wait_event(server, model, "worker_replaced")
    assert server.state(model)["live"]["crashing"] is False


@pytest.mark.parametrize("hang", HANGS)
def test_a_worker_that_hangs_is_ended_after_its_time_and_the_event_tells_where(
    server: Server, tmp_path: Path, hang: str
) -> None:
    model = folder(hang)
    before = server.score(model)["pid"]
    hanging = ask(server, model, do=hang)
    queued = ask(server, model)
    assert hanging.result(60).status in (502, 504)
    assert queued.result(60).status in (502, 504)
    assert wait_back(server, model)["pid"] != before
    assert not is_alive(before)
    lost = wait_event(server, model, "worker_lost")
    assert "serve.timeout_s" in lost["message"]
    assert f"in do_{hang}" in lost["detail"]
    assert 'etls.py", line' in lost["detail"]


def test_a_worker_killed_from_outside_is_replaced_and_the_other_worker_of_the_model_is_unhurt(
    server: Server, tmp_path: Path
) -> None:
    held = Held(tmp_path, server, "Twins")
    other = server.score("Twins")["pid"]
    os.kill(other, signal.SIGKILL)
    wait_event(server, "Twins", "worker_replaced")
    assert server.state("Twins")["live"]["workers"] == 2
    mine = held.let_go()
    assert mine.status == 200
    assert mine.json["pid"] in server.workers()
    assert other not in server.workers()


def test_a_worker_over_its_memory_is_ended_and_says_so(server: Server) -> None:
    before = server.score("Greedy")["pid"]
    ask(server, "Greedy", do="take_memory", mb=400).result(60).error(502, "worker_lost")
    assert "serve.memory_mb (200)" in wait_event(server, "Greedy", "worker_lost")["message"]
    assert wait_back(server, "Greedy")["pid"] != before
    assert server.score("Greedy", do="take_memory", mb=20, seconds=0)["pid"]


@pytest.mark.parametrize("leaving", ["leave", "interrupt"])
def test_a_method_that_raises_what_ends_programs_fails_its_request_alone(server: Server, leaving: str) -> None:
    before = server.score("Plain")["pid"]
    assert server.post("/Plain", {"variables": {"do": leaving}}).json["error"]["error_id"]
    assert server.score("Plain")["pid"] == before


def test_a_worker_that_keeps_dying_is_started_ever_more_rarely_and_hurts_nobody_else(server: Server) -> None:
    before = server.score("Plain")["pid"]
    for _ in range(7):
        wait_back(server, "Loop")
        ask(server, "Loop", do="exit").result(60).error(502, "worker_lost")
    crashing = wait_event(server, "Loop", "crash_loop")
    assert "5 times" in crashing["message"]
    assert server.state("Loop")["live"]["crashing"] is True
    refused = server.post("/Loop").error(503, "not_live")
    assert "Loop" in refused["message"]
    assert server.score("Plain")["pid"] == before
    wait_back(server, "Loop")


def test_a_model_that_prints_a_lot_answers_and_the_log_holds_a_part_of_it(server: Server) -> None:
    lines = len(server.lines)
    assert server.score("Plain", do="print", lines=100_000)["said"] is None
    server.wait(lambda: "lines are left out here" in server.log, "the count of what is left out")
    assert len(server.lines) - lines < 5_000


def test_a_model_that_prints_for_ever_slows_nobody_else(server: Server) -> None:
    write_risky(server_repo(server), "Loud")
    server_repo(server).commit()
    server.sync()
    server.wait_live("Loud", "v1")
    server.score("Loud", do="print_for_ever")
    lines = len(server.lines)
    for _ in range(20):
        server.score("Plain")
        assert server.state("Loud")["live"]
    assert len(server.lines) - lines < 5_000
    server_repo(server).remove("Loud").commit()
    server.sync()


def server_repo(server: Server) -> Repo:
    return Repo(Path(server.settings.git_path))


def test_odd_output_reaches_the_log_in_lines_and_without_control_characters(server: Server) -> None:
    before = server.score("Plain")["pid"]
    assert server.score("Plain", do="print_oddly")["pid"] == before
    assert server.score("Plain")["pid"] == before
    server.wait(lambda: "no newline no newline" in server.log, "the output")
    assert max(map(len, server.lines)) < 2_100
    assert not any(ord(character) < 32 and character != "\t" for line in server.lines for character in line)


def test_a_model_that_changes_its_process_goes_on_answering(server: Server) -> None:
    before = server.score("Plain")["pid"]
    server.score("Plain", do="take_over")
    assert server.score("Plain")["pid"] == before
    assert server.post("/Plain", {"variables": {"do": "open_files"}}).status in (200, 500)
    assert server.score("Plain")["pid"] == before


def test_what_a_worker_started_ends_with_it_and_threads_do_not_hold_it_up(server: Server) -> None:
    repo = server_repo(server)
    write_risky(repo, "Parent")
    repo.commit()
    server.sync()
    server.wait_live("Parent", "v1")
    worker = server.score("Parent", do="start_threads")["pid"]
    children = server.score("Parent", do="start_processes")["said"]
    assert all(map(is_alive, children))
    write_risky(repo, "Parent", edition=2)
    repo.commit()
    server.sync()
    server.wait_live("Parent", "v2")
    wait_dead([worker, *children], "the old worker and its children")
    assert server.score("Parent")["edition"] == 2


def test_what_a_worker_started_ends_too_when_the_worker_dies(server: Server) -> None:
    children = server.score("Twins", do="start_processes")
    os.kill(children["pid"], signal.SIGKILL)
    wait_dead(children["said"], "the children of a worker that died")
