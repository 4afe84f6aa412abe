"""Every script says what it does, and does nothing else when it is asked to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pawl.__main__ import app
from pawl.group import LazyGroup
from tests.serving import ROOT


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


SCRIPTS = {
    "scripts/serve": ("gitPath", "PORT", "env.example"),
    "scripts/test": ("pytest", "scripts/test tests/"),
    "scripts/check": ("ruff", "mypy"),
    ".ci/run": ("scripts/check", "scripts/test"),
}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_a_script_explains_itself_and_starts_nothing(script: str, option: str) -> None:
    done = run(str(ROOT / script), option)
    assert (done.returncode, done.stderr) == (0, "")
    assert [word for word in SCRIPTS[script] if word not in done.stdout] == []
    assert done.stdout.startswith(script)


@pytest.mark.parametrize("script", ["scripts/serve", "scripts/check"])
def test_a_script_refuses_arguments_that_it_does_not_know(script: str) -> None:
    done = run(str(ROOT / script), "--port", "1")
    assert done.returncode == 2
    assert "--help" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"gitPath": "models", "DATA_DIR": "data/x"}, ("{here}/models", "{here}/data/x")),
        ({"PAWL_GIT_PATH": "models", "PAWL_data_dir": "data/x"}, ("{here}/models", "{here}/data/x")),
        ({"gitPath": "/abs", "DATA_DIR": "/abs/data"}, ("/abs", "/abs/data")),
        ({"gitPath": "git@example.org:team/models.git"}, ("git@example.org:team/models.git", "")),
        ({"gitPath": "https://example.org/models"}, ("https://example.org/models", "")),
    ],
)
def test_paths_are_from_the_folder_where_the_server_is_started(
    tmp_path: Path, given: dict[str, str], meant: tuple[str, str]
) -> None:
    checkout, here = tmp_path / "checkout", tmp_path / "here"
    for name, text in {
        "scripts/serve": (ROOT / "scripts/serve").read_text(),
        "scripts/setup": "#!/bin/sh\n",
        ".venv/bin/python": '#!/bin/sh\nprintf "%s|%s|%s" "$gitPath$PAWL_GIT_PATH" "$DATA_DIR$PAWL_data_dir" "$PWD"\n',
    }.items():
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (here / "models").mkdir(parents=True)
    done = subprocess.run(
        [checkout / "scripts/serve"],
        cwd=here,
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split("|") == [*(path.format(here=here) for path in meant), str(checkout)], done.stderr


def test_the_server_explains_itself_and_refuses_arguments() -> None:
    done = run(sys.executable, "-m", "server", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "env.example" in done.stdout
    done = run(sys.executable, "-m", "server", "--port=1")
    assert done.returncode == 2
    assert "'--port=1'" in done.stderr


def commands(group: LazyGroup = app, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, and those below others."""
    for name in group.list_commands(click.Context(group)):
        yield (*above, name)
        command = group.get_command(click.Context(group), name)
        if isinstance(command, LazyGroup):
            yield from commands(command, (*above, name))


def shown_help(command: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(app, [*command, "--help"], prog_name="pawl", terminal_width=100)
    assert shown.exit_code == 0, shown.output
    return shown.output


def test_the_commands_are_those_that_were_promised() -> None:
    promised = "ls show versions deployments diff pin unpin rollback accept retry load unload sync logs events traffic"
    promised += " keys try open login serve stop check train runs"
    assert [name for name in promised.split() if (name,) not in set(commands())] == []


@pytest.mark.parametrize("command", [(), *commands()], ids=" ".join)
def test_each_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    output = shown_help(command)
    assert output.startswith(f"Usage: {' '.join(('pawl', *command))} ")
    examples = re.findall(rf"^  .*\bpawl {' '.join(command)}".rstrip() + r"\b", output, re.MULTILINE)
    assert examples, output


def test_each_command_prints_json_for_programs() -> None:
    without = [" ".join(one) for one in commands() if "--json [FIELDS]" not in shown_help(one)]
    assert without == ["completion"], "which prints what a shell reads"


def test_what_is_listed_of_a_command_is_a_line() -> None:
    shown = CliRunner().invoke(app, ["--help"], prog_name="pawl", terminal_width=100)
    for name, *below in commands():
        if not below:
            assert re.search(rf"^  {name} +[A-Z].*[.?]$", shown.output, re.MULTILINE), name


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_command_line_explains_itself_as_a_program(option: str) -> None:
    done = run(sys.executable, "-m", "pawl", option)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: pawl" in done.stdout


def test_a_misspelt_command_is_told_what_was_meant() -> None:
    done = run(sys.executable, "-m", "pawl", "rolback", "Iris")
    assert done.returncode == 2
    assert "did you mean 'rollback'" in done.stderr
    assert done.stdout == ""
