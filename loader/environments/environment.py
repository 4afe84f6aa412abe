"""The Python environments that releases run in: one for each set of requirements, built once and never edited."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import msgspec

from core.errors import Heals, ReleaseFailed
from core.redaction import redact
from loader.environments.builder import Builder, python_of
from loader.environments.cache import trim
from loader.environments.in_use import is_held
from loader.environments.packages import installed, own_pins
from loader.environments.requirements import Reading, Requirements, read_requirements
from loader.environments.uv import Uv

log = logging.getLogger("pawl.loader")

_DOOMED = ".old-"
_ASIDE = ".tmp-"
SHARED = ".run-"
"""Begins the names of what those half build who share the folder: it is cleared once nobody can be building it."""
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
        self,
        root: Path,
        env: Mapping[str, str],
        timeout_s: float = 900.0,
        pins: Sequence[str] | None = None,
        cache: Path | None = None,
        aside: str | None = None,
    ) -> None:
        """Take over `root`, clearing what a crash left half built; or, with `aside`, share it with whoever has: names
        of what is half built begin with `aside`.

        `env` is what building may see, secrets taken out; `timeout_s` bounds one build; `pins` are requirements that
        hold in every environment besides the author's, the last one being ONNX Runtime (default: `own_pins`);
        `cache` is for what was downloaded (default: a folder beside `root`), unless `env` names another.
        """
        self._root = root
        self._timeout_s = timeout_s
        own = installed(sys.path)
        self._pins = tuple(own_pins(own) if pins is None else pins)
        cache = cache or root.parent / "cache"
        self._cache = None if env.get("UV_CACHE_DIR") else cache
        self._uv = Uv(env, cache)
        self._builder = Builder(self._uv, self._pins)
        self._own = Environment(Path(sys.executable), None, own)
        self._builds: dict[str, Future[Environment]] = {}
        self._lock = Lock()
        self._aside = aside or _ASIDE
        root.mkdir(parents=True, exist_ok=True)
        if aside is not None:
            return
        shared = [path for path in root.glob(f"{SHARED}*") if path.stat().st_mtime < time.time() - timeout_s]
        for leftover in (*root.glob(f"{_ASIDE}*"), *root.glob(f"{_DOOMED}*"), *shared):
            shutil.rmtree(leftover, ignore_errors=True)

    def build(
        self, requirements: Path | None, report: Callable[[str], None], within: Path | None = None
    ) -> Environment:
        """The environment for a requirements file, built unless it is there; None: Pawl's own.

        `within`: the folder whose files it may refer to (default: its own). `report` is told, in a line fit for a log,
        when something takes long. Callers that want the same environment at the same time share one build and its
        outcome. Raises ReleaseFailed.
        """
        if requirements is None:
            return self._own
        reading = read_requirements(requirements, within)
        id = self._id(reading.wanted)
        return self._once(id, lambda: self._find(id) or self._make(id, reading, report))

    def id_of(self, requirements: Path | None, within: Path | None = None) -> str | None:
        """The id of the environment for a requirements file, built or not. Raises ReleaseFailed."""
        return None if requirements is None else self._id(read_requirements(requirements, within).wanted)

    def prune(self, keep: set[str]) -> None:
        """Remove every environment whose id is not in `keep`, but none that is being built, looked up or held."""
        for path in list(self._root.iterdir()):
            try:
                self._set_aside(path, keep)
            except OSError as error:
                log.warning("the environment %s can't be removed: %s", path.name, error)
        for doomed in self._root.glob(f"{_DOOMED}*"):
            shutil.rmtree(doomed, ignore_errors=True)
        with self._lock:
            if not self._builds and self._cache is not None:
                trim(self._cache)

    def _set_aside(self, path: Path, keep: set[str]) -> None:
        with self._lock:
            unused = path.name not in keep and path.name not in self._builds and not path.name.startswith(".")
            if unused and not is_held(path):
                path.rename(Path(tempfile.mkdtemp(prefix=_DOOMED, dir=self._root)) / path.name)

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
        folder = self._root / id
        with suppress(OSError, msgspec.DecodeError):
            packages = msgspec.json.decode((folder / "packages.json").read_bytes(), type=dict[str, str])
            if packages and python_of(folder).exists():
                return Environment(python_of(folder), id, packages)
        _remove(folder)  # what is damaged would be in the way of a sound one
        return None

    def _make(self, id: str, reading: Reading, report: Callable[[str], None]) -> Environment:
        began = time.monotonic()
        secrets = self._uv.secrets(reading.addresses)
        for line in (f"building the environment ({_mention(reading.wishes)})…", *self._builder.remarks(reading)):
            report(redact(line, secrets))
        try:
            packages = self._build_aside(id, reading, deadline=began + self._timeout_s)
        except OSError as error:
            raise ReleaseFailed(
                f"the environment can't be built: {error}", stage="environment", heals=Heals.WITH_MACHINE
            ) from error
        report(f"the environment is built: {len(packages)} packages in {time.monotonic() - began:.1f} s")
        return Environment(python_of(self._root / id), id, packages)

    def _build_aside(self, id: str, reading: Reading, deadline: float) -> Mapping[str, str]:
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f"{self._aside}{id}-", dir=self._root, ignore_cleanup_errors=True
        ) as aside:
            folder = Path(aside)
            self._builder.build(
                folder, reading, [path for path in self._root.iterdir() if path.name[0] != "."], deadline
            )
            packages = installed([str(path) for path in folder.glob("lib/python*/site-packages")])
            (folder / "packages.json").write_bytes(msgspec.json.format(msgspec.json.encode(packages)))
            _sync_filesystem(folder)
            _rename(folder, self._root / id)
        return packages


def _rename(folder: Path, path: Path) -> None:
    try:
        folder.rename(path)
    except OSError:
        if not (path / "packages.json").is_file():
            raise
        # Another process was faster, with the same content.


def _mention(wishes: Sequence[str]) -> str:
    more = len(wishes) - _MENTIONED
    shown = ", ".join(wishes[:_MENTIONED]) or "nothing of its own"
    return f"{shown} and {more} more" if more > 0 else shown


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()  # where a file or a link is in its place
    shutil.rmtree(path, ignore_errors=True)


def _sync_filesystem(folder: Path) -> None:
    """Bring what was written to the disk, in one call: there are thousands of small files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "the disk did not take the environment")
    finally:
        os.close(descriptor)
