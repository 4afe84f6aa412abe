"""What is live is chosen from the command line: against a server, with its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawl.keys import create
from pawl.runs import actions
from pawl.steering import outcome
from tests.pawl.commands import in_terminal, pawl
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving
from trainer.catalogue.views import RunDetail, RunView


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("steering") / "models")
    repo.write("Echo/etls.py", echo("one")).commit("Begin")
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("data"), repo.path) as server:
        for said in ("two", "three"):
            repo.commit_file("Echo/etls.py", echo(said), f"Say {said}")
            server.sync()
        yield server


@pytest.fixture(autouse=True)
def _newest_is_live(server: Server) -> None:
    """Each test begins with v3, with nothing pinned or rejected."""
    ask(server, "unpin", "Echo")
    ask(server, "accept", "Echo", "v3", "--reason", "for the next test")
    assert live(server) == "three"


def ask(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return pawl(*arguments, cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)


def typed(server: Server, says: str, *arguments: str) -> str:
    """What it shows in a terminal in which that is typed."""
    return in_terminal(*arguments, cwd=server.settings.data, says=says, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)


def live(server: Server) -> str:
    return str(server.score("Echo")["by"])


def test_a_rollback_goes_back_and_is_told_with_its_reason(server: Server) -> None:
    done = ask(server, "rollback", "Echo", "--reason", "too slow")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Echo: ")
    assert live(server) == "two"
    ledger = [line.split("\t") for line in ask(server, "deployments", "Echo").stdout.splitlines()]
    assert ledger[0][:1] + ledger[0][2:4] + ledger[0][-1:] == ["v2", "", "rollback", "too slow"]
    assert ledger[1][2] == ledger[0][1], "one ends as the next begins"
    told = json.loads(ask(server, "events", "Echo", "--kind", "rolled_back", "--json", "reason").stdout)
    assert told[0] == {"reason": "too slow"}


def test_a_pin_holds_is_shown_and_is_lifted(server: Server) -> None:
    done = ask(server, "pin", "Echo", "v1", "--json", "state,version")
    assert json.loads(done.stdout) == {"state": "done", "version": "v1"}
    assert live(server) == "one"
    assert ask(server, "ls").stdout.rstrip("\n").endswith("pinned to v1")
    assert ask(server, "rollback", "Echo").returncode == 5
    assert ask(server, "unpin", "Echo").returncode == 0
    assert "pinned" not in ask(server, "ls").stdout


def test_what_has_changed_meanwhile_is_left_as_it_is(server: Server) -> None:
    done = ask(server, "pin", "Echo", "v1", "--expect", "v2")
    assert (done.returncode, done.stdout) == (5, "")
    assert "v3" in done.stderr
    assert live(server) == "three"
    assert ask(server, "pin", "Echo", "v1", "--expect", "v3").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("pin", "Echo", "v1", "--expect", ""), "--expect"),
        (("rollback", "Echo", "--to", " "), "--to"),
        (("pin", "Echo", ""), "VERSION"),
        (("unload", "Echo", ""), "VERSION"),
        (("rollback", ""), "MODEL"),
    ],
)
def test_what_is_empty_is_no_name_that_anybody_meant(server: Server, arguments: tuple[str, ...], names: str) -> None:
    refused = ask(server, *arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert names in refused.stderr
    assert live(server) == "three"


@pytest.mark.parametrize("action", [("accept", "v2"), ("load", "v1"), ("unload", "v1"), ("retry",)])
def test_every_action_is_done_only_if_what_was_seen_is_live(server: Server, action: tuple[str, ...]) -> None:
    name, *version = action
    refused = ask(server, name, "Echo", *version, "--expect", "v2")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert "v3" in refused.stderr
    assert ask(server, name, "Echo", *version, "--expect", "v3").returncode == 0
    ask(server, "unload", "Echo", "v1")


def test_a_terminal_is_told_from_what_to_what_and_asked_first(server: Server) -> None:
    refused = typed(server, "n\n", "rollback", "Echo")
    promised = re.search(r"v3 is live, and would be replaced by (v[12])", refused)
    assert promised is not None, refused
    assert live(server) == "three"
    typed(server, "y\n", "rollback", "Echo")
    assert server.state("Echo")["live"]["version"] == promised[1]


def test_a_terminal_is_told_that_nothing_is_known_to_have_been_live_before(server: Server, repo: Repo) -> None:
    repo.commit_file("First/etls.py", echo("first"), "Begin another")
    server.sync()
    asked = typed(server, "n\n", "rollback", "First")
    assert "v1 is live, and would be replaced by what was live before, but nothing is known to have been that" in asked


def test_who_unpins_a_model_whose_folder_has_gone_is_told_that_it_ends(server: Server, repo: Repo) -> None:
    repo.commit_file("Gone/etls.py", echo("gone"))
    server.sync()
    assert ask(server, "pin", "Gone", "v1").returncode == 0
    repo.remove("Gone").commit()
    server.sync()
    assert "its folder has gone" in ask(server, "ls", "Gone").stdout
    shown = typed(server, "n\n", "unpin", "Gone")
    assert "v1 is live, and would be served no more, nor anything else of it: its folder has gone" in shown
    assert server.score("Gone")["by"] == "gone"
    done = ask(server, "unpin", "Gone")
    gone = "the folder of Gone has gone, so nothing of it is served any more"
    assert done.stdout == f"no longer pinned at v1; {gone}\n", "its name is among the words"
    assert ask(server, "show", "Gone").returncode == 3


def test_a_terminal_is_asked_before_what_is_live_is_held_or_let_go_and_not_where_nothing_would_change(
    server: Server,
) -> None:
    assert "v3 is live, and would be held." in typed(server, "y\n", "pin", "Echo", "v3")
    assert "v3 is live, and would be held no longer: the newest" in typed(server, "y\n", "unpin", "Echo")
    shown = typed(server, "", "unpin", "Echo")
    assert "Echo was not pinned" in shown
    assert "Go on" not in shown


def test_yes_asks_nothing_in_a_terminal(server: Server) -> None:
    assert "Go on?" not in typed(server, "", "pin", "Echo", "v1", "--yes")
    assert live(server) == "one"


def test_an_older_version_is_loaded_and_unloaded(server: Server) -> None:
    assert ask(server, "load", "Echo", "v1").returncode == 0
    roles = json.loads(ask(server, "versions", "Echo", "--json", "version,role").stdout)
    assert {"version": "v1", "role": "on_demand"} in roles
    assert ask(server, "unload", "Echo", "v1").returncode == 0


@pytest.mark.parametrize(
    "arguments", [("pin", "Echo", "v9"), ("pin", "Nobody", "v1"), ("rollback", "Nobody"), ("load", "Echo", "v9")]
)
def test_what_there_is_not_ends_it_with_3(server: Server, arguments: tuple[str, ...]) -> None:
    done = ask(server, *arguments)
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize("arguments", [("unload", "Echo", "v3"), ("rollback", "Echo", "--to", "v3")])
def test_what_can_not_be_done_to_what_is_live_ends_it_with_5(server: Server, arguments: tuple[str, ...]) -> None:
    done = ask(server, *arguments)
    assert (done.returncode, done.stdout) == (5, "")
    assert "live" in done.stderr
    assert live(server) == "three"


@pytest.mark.parametrize(
    "arguments",
    [
        ("rollback", "Echo"),
        ("pin", "Echo", "v2"),
        ("keys", "create", "lost", "--scope", "view"),
        ("sync", "--wait"),
        ("runs", "start", "Echo"),
    ],
)
def test_a_field_that_the_answer_will_not_have_is_told_before_anything_is_done(
    server: Server, arguments: tuple[str, ...]
) -> None:
    done = ask(server, *arguments, "--json", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pawl: there is no field 'nope'; there are: ")
    assert live(server) == "three"
    assert "lost" not in ask(server, "keys").stdout


def test_the_fields_that_are_known_before_are_those_that_an_answer_has(server: Server) -> None:
    assert set(outcome.FIELDS) == set(json.loads(ask(server, "pin", "Echo", "v3", "--json").stdout))
    assert set(actions.FIELDS) == set(RunView.__struct_fields__)
    assert {*actions.FIELDS, *actions.MORE_FIELDS} == set(RunDetail.__struct_fields__)
    made = json.loads(ask(server, "keys", "create", "known", "--scope", "view", "--json").stdout)
    assert set(create.KEY_FIELDS) == set(made)
    assert json.loads(ask(server, "sync", "--json", "problem,left_out").stdout) == {"problem": None, "left_out": {}}


def test_what_goes_on_when_the_wait_ends_ends_it_with_7_and_goes_on(server: Server, repo: Repo, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.01)\n"
    repo.commit_file("Slow/etls.py", waits + echo("slow"), "Be slow")
    repo.commit_file("Slow/etls.py", echo("fast"), "Be fast")
    server.sync()
    done = ask(server, "pin", "Slow", "v1", "--wait", "0.1")
    as_json = ask(server, "pin", "Slow", "v1", "--wait", "0", "--json", "state,version")
    gate.touch()
    assert (done.returncode, done.stdout) == (7, "")
    assert "pawl events" in done.stderr
    assert (as_json.returncode, json.loads(as_json.stdout)) == (7, {"state": "running", "version": "v1"})
    server.wait_live("Slow", "v1")


def test_what_fails_ends_it_with_1_and_leaves_what_was_live(server: Server, repo: Repo) -> None:
    repo.commit_file("Bad/etls.py", "raise RuntimeError('no luck')", "Be bad")
    repo.commit_file("Bad/etls.py", echo("good"), "Be good")
    server.sync()
    done = ask(server, "pin", "Bad", "v1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no luck" in done.stderr
    assert server.score("Bad")["by"] == "good"
