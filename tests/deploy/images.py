"""The container image, run with Docker as the manifests have Kubernetes run it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.deploy.manifests import build, container
from tests.ports import free_port
from tests.serving import ROOT
from tests.waiting import wait_for

VARIABLE = "PAWL_TEST_IMAGE"
"""Names an image that is there; `build` has it built, which takes minutes."""
PATIENCE_S = 500.0
"""A container starts with nothing in memory or compiled, on a machine that may have other work."""

T = TypeVar("T")


def reason_to_skip() -> str:
    if not os.environ.get(VARIABLE):
        return (
            f"THE IMAGE IS NOT TESTED: {VARIABLE}=build builds it, which takes minutes; {VARIABLE}=NAME takes that one"
        )
    if shutil.which("docker") is None or docker("version", check=False).returncode:
        return "THE IMAGE IS NOT TESTED: NO docker HERE, or its daemon doesn't run (Debian: docker.io, dockerd)"
    return ""


def image() -> str:
    """Its name; built if it is to be."""
    named = os.environ[VARIABLE]
    if named != "build":
        return named
    docker("build", "--network", "host", "--tag", "pawl:test", str(ROOT))
    return "pawl:test"


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert not check or done.returncode == 0, done.stderr
    return done


@dataclass(frozen=True)
class Container:
    """A container that runs the server."""

    id: str
    url: str
    http: httpx.Client

    @property
    def log(self) -> str:
        done = docker("logs", self.id)
        return done.stdout + done.stderr

    def wait(self, look: Callable[[], T], what: str) -> T:
        """What `look` returns once that is true, as long as the container runs."""
        return wait_for(look, what, lambda: self.log, self._runs, PATIENCE_S)

    def wait_ready(self) -> Container:
        self.wait(lambda: self._status("/readyz") == 200, "readiness")
        return self

    def post(self, model: str, **variables: object) -> httpx.Response:
        return self.http.post(f"{self.url}/models_serve/{model}", json={"variables": variables})

    def execute(self, *command: str) -> str:
        """What the command prints in the container."""
        return docker("exec", self.id, *command).stdout

    def exit_code(self) -> int:
        return int(docker("wait", self.id).stdout)

    def _runs(self) -> bool:
        return docker("inspect", "--format", "{{.State.Running}}", self.id).stdout.strip() == "true"

    def _status(self, path: str) -> int:
        try:
            return self.http.get(self.url + path).status_code
        except httpx.TransportError:
            return 0


@contextmanager
def running(
    name: str, data: Path | str, user: str = "12345:0", mounts: Sequence[str] = (), **settings: str
) -> Iterator[Container]:
    """A container of the image `name` with the pod's user, mounts and limits, and `data` at /data."""
    port = free_port()
    given = [f"--env={key}={value}" for key, value in settings.items()]
    command = [*pod_options(data), "--user", user, "--publish", f"127.0.0.1:{port}:8000", *given]
    for mount in mounts:
        command += ["--volume", mount]
    id = docker("run", "--detach", *command, name).stdout.strip()
    try:
        with httpx.Client(timeout=PATIENCE_S) as client:
            yield Container(id, f"http://127.0.0.1:{port}", client)
    finally:
        docker("rm", "--force", id)


def pod_options(data: Path | str) -> list[str]:
    """Of `docker run`, what the pod's manifest says of its root, its rights and its volumes."""
    only = container(build("base"))
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    options = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
    for mount in only["volumeMounts"]:
        if mount["mountPath"] == "/data":
            options += ["--volume", f"{data}:/data"]
        elif not mount.get("readOnly"):
            options += ["--tmpfs", f"{mount['mountPath']}:mode=1777,exec"]
    return options


def run_container(one: Mapping[str, Any], user: str, volumes: Mapping[str, Path]) -> str:
    """Run a container of a pod's spec to its end, which must be a good one, and return what it prints. `user`: and its
    group. `volumes`: by name, the folders that stand for them; the others are empty."""
    assert one["securityContext"]["readOnlyRootFilesystem"] is True
    options = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user", user]
    options += ["--memory", one["resources"]["limits"]["memory"].replace("Gi", "g")]
    options += [f"--env={variable['name']}={variable['value']}" for variable in one["env"]]
    for mount in one["volumeMounts"]:
        folder = volumes.get(mount["name"])
        mode = ":ro" if mount.get("readOnly") else ""
        where = f"{mount['mountPath']}{mode}"
        options += ["--volume", f"{folder}:{where}"] if folder else ["--tmpfs", f"{mount['mountPath']}:mode=1777,exec"]
    program, *arguments = one["command"]
    options += ["--workdir", one["workingDir"], "--entrypoint", program]
    done = docker("run", "--rm", *options, one["image"], *arguments, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
