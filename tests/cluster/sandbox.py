"""The processes of a pod's containers: in bubblewrap with the pod's user, mounts and environment, or, where that can't
be had, as they are, with other paths in their arguments and environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.serving import ROOT

VENV = os.path.realpath(sys.prefix)
PYTHON = os.path.realpath(sys.base_prefix)
PAWL = "/pawl"
"""Where the image has it."""
_NOT_OURS = (
    "work",
    "tmp",
    "artifacts",
    "git",
    "pawl",
    "proc",
    "dev",
    "sys",
    "home",
    "root",
    "run",
    "mnt",
    "media",
    "srv",
)


@dataclass(frozen=True)
class Mount:
    source: Path
    at: str
    read_only: bool = False


class Process:
    """One container's."""

    def __init__(self, popen: subprocess.Popen[bytes], pid: int) -> None:
        self._popen = popen
        self.pid = pid
        """On this machine, of the container's first process."""

    def status(self) -> int | None:
        """None: it runs."""
        code = self._popen.poll()
        return code if code is None or code >= 0 else 128 - code

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


@dataclass(frozen=True)
class Container:
    """What a pod's container is to run."""

    command: Sequence[str]
    environ: Mapping[str, str]
    mounts: Sequence[Mount]
    of_pod: Sequence[Mount]
    """Those of all its containers: one may name to another where that will find something."""
    user: int
    output: Path


def start(container: Container, confined: bool) -> Process:
    base = {"PATH": f"{VENV}/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    container = replace(container, environ={**base, **container.environ})
    return _confined(container) if confined else _plain(container)


def _confined(container: Container) -> Process:
    reading, telling = os.pipe()
    user = str(container.user)
    arguments = [
        "bwrap",
        "--die-with-parent",
        "--unshare-user",
        "--unshare-pid",
        "--as-pid-1",
        "--info-fd",
        str(telling),
    ]
    arguments += ["--uid", user, "--gid", user, "--proc", "/proc", "--dev", "/dev"]
    for name in sorted(set(os.listdir("/")) - set(_NOT_OURS)):
        path = f"/{name}"
        arguments += ["--symlink", os.readlink(path), path] if os.path.islink(path) else ["--ro-bind", path, path]
    for mount in container.mounts:
        arguments += ["--ro-bind" if mount.read_only else "--bind", str(mount.source), mount.at]
    for path, at in ((str(ROOT), PAWL), (PYTHON, PYTHON), (VENV, VENV)):
        arguments += ["--ro-bind", path, at]
    arguments += ["--remount-ro", "/", "--chdir", PAWL, "--clearenv"]
    for name, value in container.environ.items():
        arguments += ["--setenv", name, value]
    with open(container.output, "ab") as log:
        popen = subprocess.Popen(
            [*arguments, "--", *container.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(telling,),
            start_new_session=True,
        )
    os.close(telling)
    with open(reading, "rb") as told:
        said = told.read()
    return Process(popen, json.loads(said)["child-pid"] if said else popen.pid)


def _plain(container: Container) -> Process:
    places = {mount.at: str(mount.source) for mount in container.of_pod} | {PAWL: str(ROOT)}
    environ = {name: value if name == "PATH" else _moved(value, places) for name, value in container.environ.items()}
    with open(container.output, "ab") as log:
        popen = subprocess.Popen(
            [_moved(argument, places) for argument in container.command],
            env=environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Process(popen, popen.pid)


def _moved(text: str, places: Mapping[str, str]) -> str:
    """With the paths on this machine in place of those in the pod."""
    names = "|".join(map(re.escape, sorted(places, key=len, reverse=True)))
    return re.sub(rf"(?<![\w.-])({names})(?=[/\"':]|$)", lambda found: places[found[1]], text)


def _has_bubblewrap() -> bool:
    if shutil.which("bwrap") is None:
        return False
    tried = [
        "bwrap",
        "--unshare-user",
        "--unshare-pid",
        "--uid",
        "1000",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    return subprocess.run(tried, capture_output=True).returncode == 0


HAS_BUBBLEWRAP = _has_bubblewrap()
