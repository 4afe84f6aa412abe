"""What commands show of a running server: in a pipe, in a terminal, and as JSON."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pawl.commands import first_line, in_terminal, pawl
from tests.ports import free_port
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

EXAMPLES = json.dumps([{"variables": {"say": "hi"}}])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("looking")
    repo = Repo(folder / "models")
    repo.write("Echo/etls.py", echo("one")).write("Echo/examples.json", EXAMPLES)
    repo.write("my model/etls.py", echo("one"))
    repo.write("Broken/etls.py", "raise RuntimeError('no\\nluck \\033[31m')\n").commit("Begin")
    with serving(folder / "data", repo.path) as server:
        repo.commit_file("Echo/etls.py", "print('starting')\n" + echo("two"), "Say two \033]0;owned\007\u009b31m")
        server.sync()
        yield server


def ask(server: Server, *arguments: str, token: str = TOKEN, **settings: str) -> subprocess.CompletedProcess[str]:
    given = {"PAWL_SERVER": server.base, "PAWL_TOKEN": token, **settings}
    return pawl(*arguments, cwd=server.settings.data, **given)


def show(server: Server, *arguments: str) -> str:
    """What it shows in a terminal."""
    return in_terminal(*arguments, cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)


def test_ls_gives_a_pipe_a_line_for_each_model_with_tabs_and_nothing_cut(server: Server) -> None:
    done = ask(server, "ls")
    assert done.returncode == 0
    assert re.fullmatch(r"pawl: my model is left out: .+\n", done.stderr)
    broken, live = (line.split("\t") for line in done.stdout.splitlines())
    assert live[:3] == ["Echo", "ready", "v2"]
    assert re.fullmatch("[0-9a-f]{40}", live[3])
    assert int(live[5]) > 0, "megabytes"
    assert broken[0] == "Broken"
    assert "RuntimeError: no luck" in broken[-1]
    assert "\033" not in done.stdout


def test_ls_imports_nothing_slow_where_it_draws_no_table(server: Server) -> None:
    done = ask(server, "ls", PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported, "imports are told at all"
    assert (
        imported & {"asyncio", "httpx", "msgspec", "pydantic", "rich", "sqlalchemy", "starlette", "typer", "yaml"}
        == set()
    )


def test_ls_shows_a_terminal_a_table_whose_texts_move_no_cursor(server: Server) -> None:
    shown = show(server, "ls")
    assert re.search(r"MODEL +STATE +LIVE", re.sub("\033\\[[0-9;]*m", "", shown))
    assert "\t" not in shown
    assert "luck \033[31m" not in shown


def test_ls_gives_the_fields_that_are_asked_for(server: Server) -> None:
    found = json.loads(ask(server, "ls", "--json", "name,live.version").stdout)
    assert found == [{"name": "Broken", "live.version": None}, {"name": "Echo", "live.version": "v2"}]
    assert {"name", "live", "failure"} <= json.loads(ask(server, "ls", "--json").stdout)[0].keys()
    unknown = ask(server, "ls", "--json", "nmae")
    assert unknown.returncode == 2
    assert "name" in unknown.stderr


def test_show_tells_of_a_failure_and_takes_json_before_the_model(server: Server) -> None:
    fields = dict(line.split("\t", 1) for line in ask(server, "show", "Broken").stdout.splitlines())
    assert fields["failed"].startswith("v1 at load")
    assert "Traceback" in fields["detail"]
    assert json.loads(ask(server, "show", "--json", "Echo").stdout)["name"] == "Echo"
    assert "live" in show(server, "show", "Echo")


def test_watching_prints_what_it_finds_until_it_is_interrupted(server: Server) -> None:
    shown = in_terminal(
        "ls", "--watch", cwd=server.settings.data, until="Echo", PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN
    )
    assert "Echo" in shown
    assert "Traceback" not in shown


def test_events_are_told_the_newest_first_and_what_there_is_not_is_an_empty_list(server: Server) -> None:
    found = json.loads(ask(server, "events", "Echo", "--json").stdout)
    assert [event["kind"] for event in found] == ["live", "live"]
    line = ask(server, "events", "Broken", "--kind", "failed", "--since", "1h").stdout.splitlines()[0].split("\t")
    assert line[1:4] == ["failed", "Broken", "v1"]
    assert len(line) == 7, "time, kind, model, version, who, message, reason"
    nothing = ask(server, "events", "Nobody", "--json")
    assert (nothing.returncode, nothing.stdout) == (0, "[]\n")
    assert ask(server, "events", "--since", "yesterday").returncode == 2


def test_try_sends_an_example_or_what_is_given(server: Server, tmp_path: Path) -> None:
    by_example = ask(server, "try", "Echo")
    assert json.loads(by_example.stdout) == {"said": "hi", "by": "two"}
    assert "answered by v2" in by_example.stderr
    file = tmp_path / "rows.json"
    file.write_text('[{"say": 1}, {"say": 2}]')
    assert [row["said"] for row in json.loads(ask(server, "try", "Echo", f"@{file}").stdout)] == [1, 2]
    assert ask(server, "try", "Echo", "{").returncode == 2
    assert ask(server, "try", "Nobody", "{}").returncode == 3
    assert ask(server, "try", "Echo", "{}", "--version", "v9").returncode == 3


def test_versions_are_listed_with_what_their_commits_say_and_told_one_by_one(server: Server) -> None:
    lines = [line.split("\t") for line in ask(server, "versions", "Echo").stdout.splitlines()]
    assert [line[:3] for line in lines] == [["v2", "ready", "live"], ["v1", "retired", ""]]
    assert [line[-1] for line in lines] == [
        "Say two \N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}31m",
        "Begin",
    ]
    assert "\033]" not in show(server, "versions", "Echo"), "what comes from git moves no cursor and names no window"
    one = dict(line.split("\t", 1) for line in ask(server, "versions", "Echo", "v2").stdout.splitlines())
    assert (one["role"], one["examples"], one["message"]) == ("live", "1 of 1", lines[0][-1])
    assert json.loads(ask(server, "versions", "Echo", "v1", "--json", "version").stdout) == {"version": "v1"}
    assert ask(server, "versions", "Echo", "v9").returncode == 3


def test_json_holds_every_character_and_moves_no_cursor(server: Server) -> None:
    shown = show(server, "versions", "Echo", "v2", "--json", "message")
    assert "\u009b" not in shown
    assert json.loads(shown)["message"].strip().endswith("\007\u009b31m")


def test_a_terminal_is_shown_no_column_in_which_nothing_stands(server: Server) -> None:
    shown = show(server, "versions", "Echo")
    assert "MESSAGE" in shown
    assert "RUN" not in shown
    assert len(ask(server, "versions", "Echo").stdout.splitlines()[0].split("\t")) == 9, "a pipe gets them all"


def test_where_nothing_was_live_is_an_empty_list(server: Server) -> None:
    nothing = ask(server, "deployments", "Echo", "--at", "2020-01-01T00:00:00Z", "--json")
    assert (nothing.returncode, nothing.stdout) == (0, "[]\n")


def test_a_diff_tells_files_and_answers(server: Server) -> None:
    shown = ask(server, "diff", "Echo", "v1", "v2").stdout
    assert "+print('starting')" in shown
    assert '+  {"said":"hi","by":"two"}' in shown
    assert ask(server, "diff", "Echo", "v2").stdout == shown, "the live one is compared with the one before it"
    assert "\033[32m+print" in show(server, "diff", "Echo", "v1", "v2")
    assert json.loads(ask(server, "diff", "Echo", "v1", "v2", "--json", "to.version").stdout) == {"to.version": "v2"}


def test_logs_are_what_workers_printed_the_oldest_first(server: Server) -> None:
    line = ask(server, "logs", "Echo", "--version", "v2").stdout.splitlines()[0].split("\t")
    assert line[1:] == ["v2", "starting"]
    followed = in_terminal(
        *("logs", "Echo", "-f"), cwd=server.settings.data, until="starting", PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN
    )
    assert followed.count("starting") == 1, "what was shown is not shown again"


def test_events_are_followed_as_they_come(server: Server) -> None:
    shown = in_terminal(
        *("events", "Broken", "-f"), cwd=server.settings.data, until="failed", PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN
    )
    assert "v1 failed at load" in shown


@pytest.mark.timeout(100)
def test_a_pipe_gets_each_event_as_it_comes(server: Server) -> None:
    given = {"PAWL_SERVER": server.base, "PAWL_TOKEN": TOKEN}
    line = first_line("events", "Broken", "--follow", cwd=server.settings.data, **given)
    assert line.split("\t")[1:4] == ["failed", "Broken", "v1"]


def test_traffic_is_summed_up(server: Server) -> None:
    server.score("Echo", say="counted")

    def total() -> list[str]:
        told = ask(server, "traffic", "Echo", "--from", "10m", "--step", "60s").stdout.splitlines()[-1].split("\t")
        assert told[0] == "total"
        return told

    server.wait(lambda: int(total()[1]) >= 1, "the gateway to tell of the request")
    assert ask(server, "traffic", "--json", "totals").returncode == 0
    assert ask(server, "traffic", "Nobody").returncode == 3
    assert ask(server, "traffic", "--step", "soon").returncode == 2


def test_keys_are_made_listed_and_revoked(server: Server) -> None:
    made = ask(server, "keys", "create", "shop", "--scope", "predict", "--model", "Echo", "--expires", "90d")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert key.startswith("pawl_")
    id = key.split("_")[1]
    assert ask(server, "keys").stdout.split("\t")[:4] == [id, "shop", "predict", "Echo"]
    assert ask(server, "keys", "list").stdout == ask(server, "keys").stdout
    assert key not in ask(server, "keys", "--json").stdout, "it is shown once"
    assert ask(server, "ls", token=key).returncode == 4, "it may ask models alone"
    assert ask(server, "keys", "revoke", id, "--reason", "it was in a log").returncode == 0
    assert ask(server, "keys", "--json").stdout == "[]\n"
    assert ask(server, "keys", "revoke", id).returncode == 3


def test_a_key_for_a_model_that_is_not_there_is_made_with_a_warning(server: Server) -> None:
    made = ask(server, "keys", "create", "shop", "--scope", "predict", "--model", "Nope", "--model", "Echo")
    assert (made.returncode, made.stdout[:5], made.stdout.count("\n")) == (0, "pawl_", 1)
    assert made.stderr == "pawl: no model is called 'Nope' yet; the key is for it once there is one\n"
    assert ask(server, "keys", "revoke", made.stdout.split("_")[1]).returncode == 0


def test_retry_and_open_say_what_they_do(server: Server) -> None:
    again = ask(server, "retry", "Broken")
    assert (again.returncode, again.stdout) == (1, "")
    assert "RuntimeError: no" in again.stderr
    assert ask(server, "open", "Echo", "--print").stdout == f"{server.base}/-/models/Echo\n"
    for token in ("", "wrong"):
        assert ask(server, "open", "Echo", "--print", token=token).stdout == f"{server.base}/-/models/Echo\n"
    unknown = ask(server, "open", "Ecko", "--print")
    assert (unknown.returncode, unknown.stdout) == (3, "")
    assert "Ecko" in unknown.stderr
    assert "monitoring" in unknown.stderr


@pytest.mark.parametrize("command", [("show", "Nobody"), ("retry", "Nobody"), ("try", "Nobody")])
def test_a_model_that_is_not_there_ends_it_with_3(server: Server, command: tuple[str, ...]) -> None:
    done = ask(server, *command)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Nobody" in done.stderr


def test_a_value_that_the_server_does_not_take_ends_it_with_2(server: Server) -> None:
    for asked in (("ls", "--state", "odd"), ("events", "--kind", "odd")):
        assert ask(server, *asked).returncode == 2, asked


@pytest.mark.parametrize("command", [("ls",), ("events", "-f"), ("retry", "Echo")])
def test_a_wrong_token_ends_it_with_4(server: Server, command: tuple[str, ...]) -> None:
    done = ask(server, *command, token="wrong")
    assert (done.returncode, done.stdout) == (4, "")
    assert "pawl login" in done.stderr


def test_a_server_that_can_not_be_reached_ends_it_with_6(tmp_path: Path) -> None:
    done = pawl("ls", cwd=tmp_path, PAWL_SERVER=f"http://127.0.0.1:{free_port()}/models_serve")
    assert (done.returncode, done.stdout) == (6, "")


def test_login_keeps_a_server_and_its_key_for_its_user_alone(server: Server, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": ""}
    refused = pawl("login", server.base, "--token", "wrong", cwd=tmp_path, **home)
    assert refused.returncode == 4
    kept = tmp_path / ".config" / "pawl" / "login.json"
    assert not kept.exists(), "a key that does not work is not kept"
    assert pawl("login", server.base, "--token", TOKEN, cwd=tmp_path, **home).returncode == 0
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(pawl("ls", "--json", "name", cwd=tmp_path, **home).stdout)[1] == {"name": "Echo"}
    elsewhere = pawl("ls", "--server", server.base + "/", cwd=tmp_path, **home)
    assert elsewhere.returncode == 0, "a slash makes no other server"
    other = pawl("ls", "--server", server.url, cwd=tmp_path, **home)
    assert other.returncode in (3, 4, 6), "a key goes to its own server alone"
    assert pawl("login", "--forget", cwd=tmp_path, **home).returncode == 0
    assert TOKEN not in kept.read_text()
