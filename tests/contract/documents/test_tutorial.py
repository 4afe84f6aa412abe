"""The tutorial's commands, run as they stand there, up to the part that downloads packages."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.repos import Repo
from tests.serving import ROOT, serving

ADDRESS = "http://127.0.0.1:8000"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
FILES = {"python": "etls.py", "yaml": "model.yaml", "json": "examples.json"}
FAILS = ("pawl check", "pawl sync")
"""Commands of which some fail on purpose."""


@dataclass(frozen=True)
class Step:
    command: str
    output: list[str]


def parts() -> dict[str, str]:
    """The tutorial's text, by the numbers of its headings."""
    text = (ROOT / "docs/tutorial.md").read_text()
    return dict(re.findall(r"^## (\d)\. .*?\n(.*?)(?=^## )", text, re.DOTALL | re.MULTILINE))


def steps(text: str) -> Iterator[Step]:
    for language, block in BLOCK.findall(text):
        if language == "console":
            for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *output = one.splitlines()
                yield Step(command, output)


def write_files(text: str, folder: Path) -> None:
    for language, block in BLOCK.findall(text):
        if language in FILES:
            (folder / FILES[language]).write_text(block)


def test_each_command_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "pawl").symlink_to(ROOT)
    text = parts()
    shell = Shell(home)
    first = list(steps(text["1"]))
    shell.run(first[:3])
    write_files(text["1"], shell.folder / "Price")
    shell.run(first[3:])
    serve = next(steps(text["2"])).command
    settings = dict(word.split("=", 1) for word in shlex.split(serve) if "=" in word)
    assert settings.keys() == {"ADMIN_TOKEN", "gitPath", "DATA_DIR"}
    assert settings["gitPath"] == "$HOME/tutorial/models"
    models = Repo(home / "tutorial/models")
    with serving(home / "tutorial/data", models.path, ADMIN_TOKEN=settings["ADMIN_TOKEN"]) as server:
        shell.address = server.url.removesuffix("/models_serve")
        shell.run(list(steps(text["2"]))[1:])
        for number in "345":
            shell.run(steps(text[number]))


class Shell:
    """Runs commands one after the other, as a terminal would: folder, variables and exit status stay."""

    def __init__(self, home: Path) -> None:
        self.folder = home
        self.address = ADDRESS
        self._status = 0
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.lower().startswith(("git", "pawl"))},
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "You"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "you@example.org"),
            "HOME": str(home),
            "TERM": "xterm",
            "COLUMNS": "200",
        }

    def run(self, steps: Iterator[Step] | list[Step]) -> None:
        for step in steps:
            self._check(step, self._run(step.command))

    def _run(self, command: str) -> str:
        script = f"(exit {self._status})\n{command}\nstatus=$?\npwd >&3; env -0 >&3; exit $status"
        reading, writing = os.pipe()
        with os.fdopen(reading) as state:
            code, printed = run_to_terminal(
                ["bash", "-c", script.replace(ADDRESS, self.address).replace(">&3", f">&{writing}")],
                cwd=self.folder,
                env=self._environ,
                pass_fds=(writing,),
            )
            os.close(writing)
            folder, _, environ = state.read().partition("\n")
        assert code == 0 or any(word in command for word in FAILS), (command, printed)
        self._status = code
        self.folder = Path(folder)
        self._environ = dict(line.split("=", 1) for line in environ.split("\0") if line)
        return printed

    def _check(self, step: Step, printed: str) -> None:
        """Whether each line of the page was printed; what changes from run to run is left out there, or is a time."""
        lines = [_plain(line) for line in printed.splitlines()]
        for line in map(_plain, step.output):
            assert "…" in line or any(line in found for found in lines), (step.command, line, printed)


def run_to_terminal(arguments: list[str], **options: Any) -> tuple[int, str]:
    """The exit status, and what is written to standard output, which is a terminal."""
    reading, terminal = os.openpty()
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=terminal, **options) as process:
        os.close(terminal)
        pieces = []
        with suppress(OSError):  # EIO, once nobody writes to it any more
            while piece := os.read(reading, 65536):
                pieces.append(piece)
    os.close(reading)
    return process.returncode, b"".join(pieces).decode()


def _plain(line: str) -> str:
    shown = re.sub(r"\x1b\[[\d;]*m", "", line)
    return " ".join(re.sub(r"\(?\d+\.\d m?s\)?", "", shown).split()).lower()
