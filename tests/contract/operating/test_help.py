"""Every script says what it does, and does nothing else when it is asked to."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


def test_the_server_explains_itself_and_refuses_arguments() -> None:
    done = run(sys.executable, "-m", "server", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "env.example" in done.stdout
    done = run(sys.executable, "-m", "server", "--port=1")
    assert done.returncode == 2
    assert "'--port=1'" in done.stderr


RUNS = tuple(("runs", verb) for verb in ("show", "start", "cancel", "retry", "accept", "log"))


@pytest.mark.parametrize("command", [(), ("serve",), ("check",), ("sync",), ("runs",), *RUNS])
def test_each_command_explains_itself(command: tuple[str, ...]) -> None:
    done = run(sys.executable, "-m", "pawl", *command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout
