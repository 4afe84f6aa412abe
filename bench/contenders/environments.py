"""The peers' Python environments: each its own, named by what it must hold."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contenders.contender import CannotStart
from bench.machine.home import HOME

UV = str(Path(sys.executable).with_name("uv"))
_INSTALL_S = 900


def environment(name: str, requirements: Path, python: str = sys.executable) -> Path:
    """The Python of an environment that holds `requirements`, made if it isn't there. Raises CannotStart."""
    digest = hashlib.sha256(requirements.read_bytes() + python.encode()).hexdigest()[:8]
    folder = HOME / "envs" / f"{name}-{digest}"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", python, str(folder))
        _uv("pip", "install", "--quiet", "--python", str(folder / "bin/python"), "--requirements", str(requirements))
        (folder / "made").touch()
    return folder / "bin/python"


def versions(python: Path, names: Sequence[str]) -> Mapping[str, str]:
    """The versions of some packages there, and of the Python itself. Raises CannotStart."""
    listed = json.loads(_uv("pip", "list", "--quiet", "--format", "json", "--python", str(python)))
    found = {package["name"]: package["version"] for package in listed if package["name"] in names}
    told = subprocess.run([str(python), "-V"], capture_output=True, text=True, check=True).stdout
    return found | {"python": told.split()[1]}


def _uv(*arguments: str) -> str:
    done = subprocess.run([UV, *arguments], capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}, saying nothing"])[-1]
        raise CannotStart(f"uv {arguments[0]}: {last}")
    return done.stdout
