"""Real environments, built by the real program; packages are wheels of a few bytes, made on the spot."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.errors import ReleaseFailed
from loader.environments.environment import Environment, Environments

PINS = ("msgspec==0.22.0", "greenlet==3.5.6", "onnxruntime-gpu==1.31.1")
SILENT = print  # pytest shows what was reported when a test fails


class Shop:
    """A folder of wheels that stands in for the package index, and environments built from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.root = folder / "envs"
        self.wheels.mkdir()
        for pin in PINS:
            self.offer(*pin.split("=="), module=pin.split("==")[0].split("-")[0])
        self.environments = self.open()

    def open(self, env: Mapping[str, str] | None = None, timeout_s: float = 60) -> Environments:
        return Environments(self.root, {**self.env(), **(env or {})}, timeout_s, PINS)

    def env(self) -> dict[str, str]:
        places = {"UV_FIND_LINKS": str(self.wheels), "UV_CACHE_DIR": str(self.folder / "cache"), "UV_OFFLINE": "1"}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **places}

    def offer(self, name: str, version: str, *, module: str | None = None, requires: str = "") -> None:
        """Put a wheel on offer whose module says its own version."""
        module, info = module or name, f"{name.replace('-', '_')}-{version}.dist-info"
        needs = f"Requires-Dist: {requires}\n" if requires else ""
        files = {
            f"{module}/__init__.py": f"version = {version!r}\nname = {name!r}\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
        with zipfile.ZipFile(self.wheels / f"{name.replace('-', '_')}-{version}-py3-none-any.whl", "w") as wheel:
            for path, text in {**files, f"{info}/RECORD": record}.items():
                wheel.writestr(path, text)

    def write(self, content: str | bytes, name: str = "requirements.txt", model: str = "Iris") -> Path:
        path = self.folder / "models" / model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def build(self, content: str | bytes) -> Environment:
        return self.environments.build(self.write(content), SILENT)

    def fail(self, text: str | bytes) -> ReleaseFailed:
        with pytest.raises(ReleaseFailed) as failure:
            self.build(text)
        assert failure.value.stage == "environment"
        return failure.value

    def on_disk(self) -> set[str]:
        return {path.name for path in self.root.iterdir()}


def say(environment: Environment, code: str, **env: str) -> str:
    """What the environment's Python prints for `code`."""
    done = subprocess.run([environment.python, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]
