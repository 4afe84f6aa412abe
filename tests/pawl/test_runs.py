"""`pawl runs` against a running server, whose store holds runs that are over."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.runs.states import Reason, RunState
from pawl.runs.run import read_run
from tests.pawl.commands import in_pipe, in_terminal, pawl
from tests.ports import free_port
from tests.repos import Repo
from tests.server.http.runs import Runs, key
from tests.serving import TOKEN, Server, echo, serving
from trainer.records.record_names import attempt_curve, attempt_log

REJECTED, FAILED, SUCCEEDED = key(1), key(2), key(3)
LOUD = b"10%\r20%\r\n\x1b]0;owned\x07\xff\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("runs")
    repo = Repo(folder / "models")
    repo.write("Iris/etls.py", echo("one")).commit()
    runs = Runs(folder / "data")
    below = "accuracy is 0.5, below the target's min of 0.9"
    scores = {"accuracy": 0.5}
    runs.ended(1, state=RunState.REJECTED, reason=Reason.BELOW_TARGET, message=below, scores=scores, commit="a" * 40)
    runs.ended(2, "Other", state=RunState.FAILED, reason=Reason.RAISED, message="ValueError:\tno\nluck", detail="Trace")
    artifact = runs.artifact(folder / "output", model="weights")
    runs.ended(3, scores={"accuracy": 1.0}, params={"depth": 6}, artifact=artifact)
    runs.records.put("Iris", SUCCEEDED, attempt_log(1), "fitted ✓\n".encode())
    runs.records.put("Other", FAILED, attempt_log(1), LOUD)
    runs.records.put("Iris", SUCCEEDED, attempt_curve(1), b'{"step":1,"scores":{"loss":0.25}}\n')
    with serving(folder / "data", repo.path) as server:
        yield server


def ask(server: Server, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    return pawl("runs", *arguments, cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=token)


def test_a_pipe_gets_a_line_for_each_run_the_newest_first(server: Server) -> None:
    done = ask(server)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == [SUCCEEDED, FAILED, REJECTED]
    assert lines[1][1:4] == ["Other", "failed", "Raised"]
    assert lines[1][7] == "ValueError: no luck"
    assert lines[2][4:6] == ["accuracy 0.5", "a" * 40], "nothing is cut"
    assert all(line[6].endswith("Z") for line in lines), "times are written as other commands write them"


def test_a_list_holds_what_was_asked_for(server: Server) -> None:
    by_model = ask(server, "--model", "Iris", "--json")
    by_state = ask(server, "--state", "rejected", "--json")
    at_most = ask(server, "--limit", "2", "--json")
    assert [run["run"] for run in json.loads(by_model.stdout)] == [SUCCEEDED, REJECTED]
    assert [run["reason"] for run in json.loads(by_state.stdout)] == ["BelowTarget"]
    assert [run["run"] for run in json.loads(at_most.stdout)] == [SUCCEEDED, FAILED]


def test_where_there_are_none_it_is_an_empty_list_and_no_failure(server: Server) -> None:
    as_json, plain = ask(server, "--model", "Nobody", "--json"), ask(server, "--model", "Nobody")
    assert (as_json.returncode, as_json.stdout) == (0, "[]\n")
    assert (plain.returncode, plain.stdout) == (0, "")


def test_one_run_is_shown_with_its_curve(server: Server) -> None:
    done = ask(server, "show", SUCCEEDED)
    fields = dict(line.split("\t", 1) for line in done.stdout.splitlines())
    assert (fields["state"], fields["scores"], fields["params"]) == ("succeeded", "accuracy 1", "depth=6")
    assert fields["step 1"] == "loss 0.25"
    assert json.loads(ask(server, "show", SUCCEEDED, "--json").stdout)["run"] == SUCCEEDED


def test_a_log_moves_no_cursor_of_a_terminal_and_comes_whole_into_a_pipe(server: Server) -> None:
    given = {"PAWL_SERVER": server.base, "PAWL_TOKEN": TOKEN}
    shown = in_terminal("runs", "log", FAILED, cwd=server.settings.data, **given)
    assert shown.split() == ["10%", "20%", "\ufffd]0;owned\ufffd\ufffd"]
    written = in_pipe("runs", "log", FAILED, cwd=server.settings.data, **given)
    assert written == LOUD


@pytest.mark.parametrize("options", [(), ("-f",), ("--attempt", "1")])
def test_a_log_is_printed_as_it_is(server: Server, options: tuple[str, ...]) -> None:
    done = ask(server, "log", *options, SUCCEEDED)
    assert (done.returncode, done.stdout) == (0, "fitted ✓\n")


@pytest.mark.parametrize("command", [("show",), ("log",), ("log", "-f"), ("cancel",), ("retry",)])
def test_a_run_that_is_not_there_ends_it_with_3(server: Server, command: tuple[str, ...]) -> None:
    done = ask(server, *command, key(9))
    assert (done.returncode, done.stdout) == (3, "")
    assert key(9) in done.stderr


def test_a_model_that_is_not_there_ends_it_with_3(server: Server) -> None:
    assert ask(server, "start", "Nobody").returncode == 3


def test_what_the_state_of_a_run_does_not_allow_ends_it_with_5(server: Server) -> None:
    for command in (("cancel", FAILED), ("retry", SUCCEEDED), ("accept", FAILED, "--reason", "it will do")):
        done = ask(server, *command)
        assert done.returncode == 5, done.stderr
        assert command[1] in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--state", "odd"), ("--limit", "0"), ("accept", REJECTED), ("start", "Iris", "--set", "depth"), ("nothing",)],
)
def test_a_wrong_argument_ends_it_with_2(server: Server, arguments: tuple[str, ...]) -> None:
    assert ask(server, *arguments).returncode == 2


def test_a_wrong_token_ends_it_with_4(server: Server) -> None:
    done = ask(server, token="wrong")
    assert (done.returncode, done.stdout) == (4, "")
    assert "PAWL_TOKEN" in done.stderr


def test_a_server_that_can_not_be_reached_ends_it_with_6(tmp_path: Path) -> None:
    done = pawl("runs", "--server", f"http://127.0.0.1:{free_port()}/models_serve", cwd=tmp_path)
    assert done.returncode == 6


def test_the_model_tells_of_its_newest_run_and_the_metrics_count_them(server: Server) -> None:
    training = server.state("Iris")["training"]
    assert (training["run"], training["state"]) == (SUCCEEDED, "succeeded")
    told = server.request("GET", f"{server.url}/metrics").body.decode()
    assert 'pawl_runs{state="rejected"} 1.0' in told
    assert 'pawl_runs{state="running"} 0.0' in told


def test_a_run_with_params_of_its_own_is_told_apart() -> None:
    run = {"run": key(1), "model": "Iris", "state": "succeeded", "queued_at": "2026-11-30T10:00:00Z", "own": True}
    assert read_run(run).why == "succeeded (own params)"
    assert read_run({**run, "accepted": True}).why == "succeeded (accepted, own params)"
    assert read_run({**run, "state": "failed", "reason": "Raised"}).why == "failed (Raised)"
