"""Pawl as it is installed: the command works without a checkout, and a model's code sees nothing of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.pawl.commands import write
from tests.serving import ROOT
from tests.waiting import wait_for

OURS = ("core", "gateway", "loader", "pawl", "registry", "server", "trainer", "worker")
SEES = f"""
import importlib.util


class Sees:
    def transform_predict(self):
        return {{"sees": [name for name in {OURS!r} if importlib.util.find_spec(name)]}}
"""
SHADOWS = """
import core
import server.thing


class Shadows:
    def transform_predict(self):
        return {"mine": [core.MINE, server.thing.MINE]}
"""


@dataclass(frozen=True)
class Installed:
    """A `pawl` on a PATH, in an empty home."""

    bin: Path
    home: Path

    def run(self, *arguments: str, folder: str = "") -> subprocess.CompletedProcess[str]:
        environ = {"PATH": f"{self.bin}:{os.defpath}", "HOME": str(self.home), "PORT": "0"}
        return subprocess.run(
            [self.bin / "pawl", *arguments], cwd=self.home / folder, env=environ, capture_output=True, text=True
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of the build stays in the checkout."""
    folder, source = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("source")
    for name in (*OURS, "setup.py", "pyproject.toml", "requirements.txt", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    build = [uv, "build", "--wheel", "--offline", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*build, "--out-dir", folder, source], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """With the packages that it needs from where the tests have them."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (site / "needed.pth").write_text(sysconfig.get_path("purelib"))
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    install = [uv, "pip", "install", "--offline", "--no-deps", "--python", folder / "venv" / "bin" / "python", wheel]
    subprocess.run(install, check=True, capture_output=True)
    home = folder / "home"
    write(home / "models_serve" / "Sees", SEES)
    write(home / "models_serve" / "Shadows", SHADOWS, core__py="MINE = 1")
    write(home / "models_serve" / "Shadows" / "server", None, thing__py="MINE = 2")
    pawl = Installed(folder / "venv" / "bin", home)
    try:
        yield pawl
    finally:
        pawl.run("stop")


def test_a_wheel_has_one_package_of_ours_and_every_file_that_the_pages_need(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"_pawl_installed"}
    listed = subprocess.run(["git", "ls-files", *OURS], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    missing = {f"_pawl_installed/{name}" for name in listed.split()} - set(names)
    assert missing == set()


def test_an_installed_pawl_serves_and_hides_itself_from_models(installed: Installed) -> None:
    started = installed.run("serve", "--background")
    assert (started.returncode, started.stderr) == (0, "")
    address = json.loads((installed.home / ".pawl" / "running.json").read_text())["url"]
    wait_for(lambda: httpx.get(address.replace("/models_serve", "/readyz")).status_code == 200, "readiness")
    seen = installed.run("try", "Sees", "{}")
    assert (json.loads(seen.stdout or "null"), seen.returncode) == ({"sees": []}, 0), seen.stderr
    assert json.loads(installed.run("try", "Shadows", "{}").stdout) == {"mine": [1, 2]}
    assert httpx.get(f"{address}/docs").status_code == 200
    assert httpx.get(f"{address}/", headers={"accept": "text/html"}).status_code == 200
    stopped = installed.run("stop")
    assert (stopped.returncode, stopped.stderr) == (0, "")


def test_an_installed_pawl_checks_a_folder(installed: Installed) -> None:
    done = installed.run("check", "models_serve/Shadows", "--json", "ok")
    assert json.loads(done.stdout) == {"ok": True}, done


def test_where_there_is_nothing_to_serve_it_says_what_to_do(installed: Installed) -> None:
    (installed.home / "empty").mkdir()
    done = installed.run("serve", folder="empty")
    assert done.returncode == 2
    assert "gitPath" in done.stderr
    assert len(done.stderr.splitlines()) == 1
