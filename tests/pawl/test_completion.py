"""What a shell completes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pawl.commands import environ, pawl, write
from tests.ports import free_port
from tests.serving import TOKEN, Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("completion")
    write(folder / "models_serve" / "Adds")
    with serving(folder / "data", cwd=folder) as server:
        yield server


def completed(line: str, cwd: Path, **settings: str) -> list[str]:
    """The words that bash is given for the last one of the line."""
    asked = {"_PAWL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "pawl"], cwd=cwd, env=environ(cwd, {**settings, **asked}), capture_output=True, text=True
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_commands_models_and_versions_are_completed(server: Server, tmp_path: Path) -> None:
    here = {"PAWL_SERVER": server.base, "PAWL_TOKEN": TOKEN}
    assert completed("pawl ro", tmp_path) == ["rollback"]
    assert completed("pawl runs st", tmp_path) == ["start"]
    assert completed("pawl show A", tmp_path, **here) == ["Adds"]
    assert completed("pawl pin Adds ", tmp_path, **here) == ["v1"]


@pytest.mark.parametrize(
    "line",
    [
        *("pawl events A", "pawl traffic A", "pawl open A", "pawl try A", "pawl runs --model A", "pawl runs start A"),
        "pawl keys create shop --model A",
    ],
)
def test_a_model_is_completed_wherever_one_is_named(server: Server, line: str, tmp_path: Path) -> None:
    assert completed(line, tmp_path, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN) == ["Adds"]


@pytest.mark.parametrize(
    "line",
    [
        *("pawl versions Adds ", "pawl diff Adds ", "pawl diff Adds v1 ", "pawl accept Adds "),
        *(f"pawl {command} Adds --version " for command in ("logs", "traffic", "try")),
        *("pawl rollback Adds --to ", "pawl rollback Adds --expect ", "pawl retry Adds --expect "),
    ],
)
def test_a_version_is_completed_wherever_one_is_named(server: Server, line: str, tmp_path: Path) -> None:
    assert completed(line, tmp_path, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN) == ["v1"]


def test_pages_are_completed_beside_models(server: Server, tmp_path: Path) -> None:
    assert completed("pawl open mon", tmp_path, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN) == ["monitoring"]


def test_without_a_server_there_is_nothing_to_complete_and_no_error(tmp_path: Path) -> None:
    assert completed("pawl show A", tmp_path, PAWL_SERVER=f"http://127.0.0.1:{free_port()}/x") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_given_what_it_reads(shell: str, tmp_path: Path) -> None:
    done = pawl("completion", shell, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_PAWL_COMPLETE={shell}_complete" in done.stdout
