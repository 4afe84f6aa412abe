"""What of the Dockerfile can be checked without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.dockerfile import ignored_exceptions, instruction
from tests.serving import ROOT

LINTED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
PACKAGES = [package for package in LINTED if package != "bench"]
"""Pawl's own, less what measures it."""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_in_the_image(package: str) -> None:
    assert package in ignored_exceptions()


def test_what_is_in_the_image_is_there() -> None:
    for name in ignored_exceptions():
        assert (ROOT / name).exists(), name


def test_signals_reach_the_server_and_nobody_is_left_unreaped() -> None:
    assert instruction("ENTRYPOINT").startswith('["tini", "--", "python"')


def test_the_user_is_told_by_its_number() -> None:
    """Kubernetes can't tell otherwise that it is not root (`runAsNonRoot`)."""
    assert instruction("USER").isdigit()


def test_the_command_line_runs_no_code_of_the_folder_that_it_stands_in(tmp_path: Path) -> None:
    """A repository of models may well have a folder `core` or `server`."""
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('this is another core')")
    text = (ROOT / "Dockerfile").read_text()
    [program] = re.findall(r"exec (env PYTHONPATH=/pawl python .*-m pawl)", text)
    command = program.replace("/pawl", str(ROOT)).replace(" python ", f" {sys.executable} ").split()
    done = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
