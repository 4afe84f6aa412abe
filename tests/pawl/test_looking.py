"""What commands show of a running server: in a pipe, in a terminal, and as JSON."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pawl.commands import in_terminal, pawl
from tests.ports import free_port
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

EXAMPLES = json.dumps([{"variables": {"say": "hi"}}])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("looking")
    repo = Repo(folder / "models")
    repo.write("Echo/etls.py", echo("one")).write("Echo/examples.json", EXAMPLES)
    repo.write("Broken/etls.py", "raise RuntimeError('no\\nluck \\033[31m')\n").commit()
    with serving(folder / "data", repo.path) as server:
        yield server


def ask(server: Server, *arguments: str, token: str = TOKEN, **settings: str) -> subprocess.CompletedProcess[str]:
    given = {"PAWL_SERVER": server.base, "PAWL_TOKEN": token, **settings}
    return pawl(*arguments, cwd=server.settings.data, **given)


def show(server: Server, *arguments: str) -> str:
    """What it shows in a terminal."""
    return in_terminal(*arguments, cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)


def test_ls_gives_a_pipe_a_line_for_each_model_with_tabs_and_nothing_cut(server: Server) -> None:
    done = ask(server, "ls")
    assert (done.returncode, done.stderr) == (0, "")
    broken, live = (line.split("\t") for line in done.stdout.splitlines())
    assert live[:3] == ["Echo", live[1], "v1"]
    assert re.fullmatch("[0-9a-f]{40}", live[3])
    assert broken[0] == "Broken"
    assert "RuntimeError: no luck" in broken[-1]
    assert "\033" not in done.stdout


def test_ls_shows_a_terminal_a_table_whose_texts_move_no_cursor(server: Server) -> None:
    shown = show(server, "ls")
    assert re.search(r"MODEL +STATE +LIVE", re.sub("\033\\[[0-9;]*m", "", shown))
    assert "\t" not in shown
    assert "luck \033[31m" not in shown


def test_ls_gives_the_fields_that_are_asked_for(server: Server) -> None:
    found = json.loads(ask(server, "ls", "--json", "name,live.version").stdout)
    assert found == [{"name": "Broken", "live.version": None}, {"name": "Echo", "live.version": "v1"}]
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
    assert [event["kind"] for event in found] == ["live"]
    line = ask(server, "events", "Broken", "--kind", "failed", "--since", "1h").stdout.splitlines()[0].split("\t")
    assert line[1:4] == ["failed", "Broken", "v1"]
    nothing = ask(server, "events", "Nobody", "--json")
    assert (nothing.returncode, nothing.stdout) == (0, "[]\n")
    assert ask(server, "events", "--since", "yesterday").returncode == 2


def test_try_sends_an_example_or_what_is_given(server: Server, tmp_path: Path) -> None:
    by_example = ask(server, "try", "Echo")
    assert json.loads(by_example.stdout) == {"said": "hi", "by": "one"}
    assert "answered by v1" in by_example.stderr
    file = tmp_path / "rows.json"
    file.write_text('[{"say": 1}, {"say": 2}]')
    assert [row["said"] for row in json.loads(ask(server, "try", "Echo", f"@{file}").stdout)] == [1, 2]
    assert ask(server, "try", "Echo", "{").returncode == 2
    assert ask(server, "try", "Nobody", "{}").returncode == 3
    assert ask(server, "try", "Echo", "{}", "--version", "v9").returncode == 3


def test_retry_and_open_say_what_they_do(server: Server) -> None:
    assert ask(server, "retry", "Broken").returncode == 0
    assert ask(server, "open", "Echo", "--print").stdout == f"{server.base}/-/models/Echo\n"


@pytest.mark.parametrize("command", [("show", "Nobody"), ("retry", "Nobody"), ("try", "Nobody")])
def test_a_model_that_is_not_there_ends_it_with_3(server: Server, command: tuple[str, ...]) -> None:
    done = ask(server, *command)
    assert (done.returncode, done.stdout) == (3, "")
    assert "Nobody" in done.stderr


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
