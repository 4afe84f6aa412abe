"""The Python environments that releases run in: one for each set of requirements, built once and never edited."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import msgspec

from core.errors import Heals, ReleaseFailed
from loader.environments.packages import RUNTIMES, installed, name_of, own_pins
from loader.environments.requirements import Requirements, read_requirements
from loader.environments.uv import Uv

_MENTIONED = 5
"""Requirements named in a line of the log; there may be hundreds."""


@dataclass(frozen=True)
class Environment:
    """A Python interpreter, and the packages that it imports."""

    python: Path
    id: str | None
    """The folder's name; None: Pawl's own environment, for releases that require nothing."""
    packages: Mapping[str, str]
    """Names, normalised, and versions, as found in it after it was built."""


class Environments:
    """The environments under one folder. Its methods block; call them in threads."""

    def __init__(
        self, root: Path, env: Mapping[str, str], timeout_s: float = 900.0, pins: Sequence[str] | None = None
    ) -> None:
        """Take over `root`, clearing what a crash left half built.

        `env` is what building may see, secrets taken out; `timeout_s` bounds one build; `pins` are requirements that
        hold in every environment besides the author's, the last one being ONNX Runtime (default: `own_pins()`).
        """
        self._root = root
        self._timeout_s = timeout_s
        self._pins = tuple(own_pins() if pins is None else pins)
        self._uv = Uv(env)
        self._own = Environment(Path(sys.executable), None, installed(sys.path))
        self._builds: dict[str, Future[Environment]] = {}
        self._lock = Lock()
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob(".tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def build(self, requirements: Path | None, report: Callable[[str], None]) -> Environment:
        """The environment for a requirements file, built unless it is there; None: Pawl's own.

        `report` is told, in a line fit for a log, when something takes long. Callers that want the same environment
        at the same time share one build and its outcome. Raises ReleaseFailed.
        """
        if requirements is None:
            return self._own
        wanted = read_requirements(requirements)
        id = self._id(wanted)
        return self._once(id, lambda: self._find(id) or self._make(id, wanted, report))

    def id_of(self, requirements: Path | None) -> str | None:
        """The id of the environment for a requirements file, built or not. Raises ReleaseFailed."""
        return None if requirements is None else self._id(read_requirements(requirements))

    def prune(self, keep: set[str]) -> None:
        """Remove every environment whose id is not in `keep`, but none that is being built or looked up right now."""
        for path in list(self._root.iterdir()):
            with self._lock:
                if path.name in keep or path.name in self._builds or path.name.startswith("."):
                    continue
                doomed = path.rename(self._root / f".tmp-{path.name}")
            shutil.rmtree(doomed, ignore_errors=True)

    def close(self) -> None:
        """Stop what is being built; those who wait for it get a ReleaseFailed."""
        self._uv.close()

    def _id(self, wanted: Requirements) -> str:
        machine = (
            platform.python_version(),
            os.path.realpath(sys.executable),
            sysconfig.get_platform(),
            sysconfig.get_config_var("SOABI"),
        )
        return hashlib.sha256(msgspec.json.encode((wanted, self._pins, machine))).hexdigest()[:32]

    def _once(self, id: str, find_or_make: Callable[[], Environment]) -> Environment:
        with self._lock:
            build = self._builds.get(id)
            if build is None:
                mine = self._builds[id] = Future()
        if build is not None:
            return build.result()
        try:
            mine.set_result(find_or_make())
        except BaseException as error:
            mine.set_exception(error)
        with self._lock:
            del self._builds[id]
        return mine.result()

    def _find(self, id: str) -> Environment | None:
        try:
            packages = msgspec.json.decode((self._root / id / "packages.json").read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            packages = {}
        if not packages or not _python(self._root / id).exists():
            shutil.rmtree(self._root / id, ignore_errors=True)  # what is damaged would be in the way of a sound one
            return None
        return Environment(_python(self._root / id), id, packages)

    def _make(self, id: str, wanted: Requirements, report: Callable[[str], None]) -> Environment:
        began = time.monotonic()
        report(f"building the environment ({_mention(wanted.wishes)})…")
        for wish in self._overruled(wanted):
            report(f"{wish} is not installed: ONNX Runtime is Pawl's own, {self._pins[-1]}")
        try:
            packages = self._build_aside(id, wanted, deadline=began + self._timeout_s)
        except ReleaseFailed as error:
            raise self._explained(error) from error
        except OSError as error:
            raise ReleaseFailed(
                f"the environment can't be built: {error}", stage="environment", heals=Heals.WITH_MACHINE
            ) from error
        report(f"the environment is built: {len(packages)} packages in {time.monotonic() - began:.1f} s")
        return Environment(_python(self._root / id), id, packages)

    def _overruled(self, wanted: Requirements) -> list[str]:
        return [wish for wish in wanted.wishes if name_of(wish) in RUNTIMES and wish not in self._pins]

    def _explained(self, error: ReleaseFailed) -> ReleaseFailed:
        ours = [pin for pin in self._pins if pin in str(error)]
        message = f"{error} ({', '.join(ours)}: what Pawl's own part of the worker runs on)" if ours else str(error)
        return ReleaseFailed(message, stage=error.stage, detail=error.detail, heals=error.heals)

    def _build_aside(self, id: str, wanted: Requirements, deadline: float) -> Mapping[str, str]:
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".tmp-{id}-", dir=self._root, ignore_cleanup_errors=True) as aside:
            folder = Path(aside)
            self._install(folder, wanted, deadline)
            packages = installed([str(path) for path in folder.glob("lib/python*/site-packages")])
            (folder / "packages.json").write_bytes(msgspec.json.format(msgspec.json.encode(packages)))
            _sync_filesystem(folder)
            folder.rename(self._root / id)
        return packages

    def _install(self, folder: Path, wanted: Requirements, deadline: float) -> None:
        venv = ("venv", "--quiet", "--allow-existing", "--relocatable", "--python", sys.executable, ".")
        self._uv.run(*venv, folder=folder, deadline=deadline)
        for name, lines in self._files(wanted).items():
            (folder / name).write_text("".join(f"{line}\n" for line in lines))
        self._uv.run(
            *("pip", "install", "--python", "bin/python", "--no-progress", "--color", "never"),
            "--compile-bytecode",  # here, once, and not in the first seconds of every worker
            *("--excludes", "excludes.txt", "--overrides", "overrides.txt", "--constraints", "constraints.txt"),
            *(("--prerelease", "allow") if wanted.prereleases else ()),
            *("-r", "pins.txt", "-r", "requirements.txt"),
            folder=folder,
            deadline=deadline,
        )

    def _files(self, wanted: Requirements) -> dict[str, Sequence[str]]:
        runtime = self._pins[-1]
        return {
            "requirements.txt": wanted.lines,
            "constraints.txt": wanted.constraints,
            "pins.txt": self._pins,
            "overrides.txt": [runtime],
            "excludes.txt": [name for name in RUNTIMES if name != name_of(runtime)],
        }


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _mention(wishes: Sequence[str]) -> str:
    more = len(wishes) - _MENTIONED
    shown = ", ".join(wishes[:_MENTIONED]) or "nothing of its own"
    return f"{shown} and {more} more" if more > 0 else shown


def _sync_filesystem(folder: Path) -> None:
    """Bring what was written to the disk, in one call: there are thousands of small files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "the disk did not take the environment")
    finally:
        os.close(descriptor)
