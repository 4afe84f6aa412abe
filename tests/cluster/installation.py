"""Pawl as it is installed in a cluster: the daemon with TRAINER=kubernetes, a git server, an object store, and the
cluster: the double, whose pods are processes here, or another."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.cluster import AnyCluster
from tests.cluster.objects import Object
from tests.cluster.real import some_cluster
from tests.emulators import LOGIN, s3
from tests.githttp import GitServer, git_server
from tests.repos import Repo
from tests.serving import Server, echo, serving

NOWHERE = "registry.invalid/pawl:1"
"""An image that nobody can pull, and folders may ask for."""
_STORE_SECRET = "pawl-store"


class Installation:
    """One server at a time."""

    def __init__(self, folder: Path, cluster: AnyCluster, git: GitServer, endpoint: str) -> None:
        self.cluster = cluster
        self.repo = Repo(git.root / "models")
        self.repo.write("Echo/etls.py", echo("one")).commit()
        self.data = folder / "data"
        self._stack = ExitStack()
        user, _, key = LOGIN.partition(":")
        login = {"AWS_ACCESS_KEY_ID": user, "AWS_SECRET_ACCESS_KEY": key, "AWS_EC2_METADATA_DISABLED": "true"}
        cluster.secret(_STORE_SECRET, login)
        self.settings = {
            "TRAINER": "kubernetes",
            "TRAIN_IMAGE": cluster.image,
            "TRAIN_IMAGES": NOWHERE,
            "TRAIN_STORE_SECRET": _STORE_SECRET,
            "ARTIFACTS": f"s3://bucket/pawl?endpoint_override={endpoint}&scheme=http",
            "KUBECONFIG": str(cluster.kubeconfig),
            "gitPath": git.url("models/.git"),
            "SYNC_SECONDS": "3600",
            **login,
        }
        self.server = self._started()

    def push(self, model: str, **files: str) -> None:
        """`train_py` is the content of train.py."""
        for name, content in files.items():
            self.repo.write(f"{model}/{name.replace('_', '.', 1)}", content)
        self.repo.commit()
        self.server.admin("POST", "/-/sync")

    def kill(self) -> None:
        """The daemon, by SIGKILL."""
        os.kill(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()

    def restart(self, data: Path | None = None, **settings: str) -> Server:
        """Another daemon after one that has ended, on its data or on other."""
        self._stack.close()
        self.data = data or self.data
        self.settings |= settings
        self.server = self._started()
        return self.server

    def run(self, model: str, state: str) -> Any:
        """The newest run of the model once it is in that state, as the API lists it."""

        def found() -> Any:
            items = self.server.admin("GET", f"/-/api/runs?model={model}").json["items"]
            return items[0] if items and items[0]["state"] == state else None

        try:
            return self.server.wait(found, f"{model}: {state}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.cluster.log()}") from error

    def jobs(self, run: str) -> list[Object]:
        return [job for job in self.cluster.jobs() if job["metadata"]["labels"]["pawl.dev/run"] == run]

    def pod(self, run: str) -> Object:
        """The one that there is of that run."""
        (found,) = (one for one in self.cluster.pods() if one["metadata"]["labels"]["pawl.dev/run"] == run)
        return found

    def close(self) -> None:
        self._stack.close()

    def _started(self) -> Server:
        return self._stack.enter_context(serving(self.data, **self.settings))


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    with (
        some_cluster(folder) as one,
        git_server(folder / "git", host=one.host) as git,
        s3(one.host) as endpoint,
    ):
        made = Installation(folder, one, git, endpoint)
        try:
            yield made
        finally:
            made.close()
