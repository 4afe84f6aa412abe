"""A cluster that is there, for tests/contract/training/test_on_kubernetes.py:

    KUBECONFIG=… PAWL_TEST_CLUSTER=pawl:0.1.0 PAWL_TEST_HOST=172.18.0.1 pytest …

PAWL_TEST_CLUSTER names the image that was built of this tree, as the cluster pulls it (`kind load docker-image`).
PAWL_TEST_HOST is an address of this machine that pods reach, for the repository and the store are here; with kind it is
the gateway of Docker's network `kind`. KUBECONFIG's user makes a namespace and removes it at the end. All that Pawl
does there, it does with a token that has the rights of the shipped Role alone.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import yaml

from tests.cluster.access import ROLE
from tests.cluster.cluster import AnyCluster, cluster, secret_of
from tests.cluster.objects import ACCOUNTS, JOBS, PODS, ROLE_BINDINGS, ROLES, SECRETS, Kind, Object
from tests.deploy.manifests import K8S, KUBECTL
from tests.emulators import Door
from trainer.kubernetes.api_server import ApiServer, connect
from trainer.kubernetes.errors import ApiError

IMAGE, HOST = "PAWL_TEST_CLUSTER", "PAWL_TEST_HOST"
_EAT = "taken = []\\nwhile True: taken.append(b'x' * (64 << 20))"


class RealCluster:
    """An `AnyCluster`."""

    pending_s = 60.0

    def __init__(
        self, folder: Path, api: ApiServer, image: str, host: str, where: Mapping[str, Any], door: Door
    ) -> None:
        """`api` may make namespaces. `where`: the cluster, as kubeconfigs tell of it. `door`: before it."""
        self.image = image
        self.host = host
        self.namespace = f"pawl-test-{uuid4().hex[:8]}"
        self.kubeconfig = folder / "through-the-door"
        self._api = api
        self._door = door
        self._install()
        self.kubeconfig.write_text(json.dumps(self._config(where)))

    def jobs(self) -> list[Object]:
        return self._all(JOBS)

    def pods(self) -> list[Object]:
        return self._all(PODS)

    def secret(self, name: str, values: Mapping[str, str]) -> None:
        self._make(SECRETS, secret_of(name, values))

    def drain(self, pod: Object) -> None:
        name = pod["metadata"]["name"]
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        self._api.call("POST", f"{PODS.path(self.namespace)}/{name}/eviction", body=eviction)

    def run_out_of_memory(self, pod: Object) -> None:
        command = ["--namespace", self.namespace, "exec", pod["metadata"]["name"], "--container", "train"]
        subprocess.run([KUBECTL, *command, "--", "python", "-c", _EAT], capture_output=True, timeout=60)

    @contextmanager
    def away(self) -> Iterator[None]:
        self._door.turn("hang")
        try:
            yield
        finally:
            self._door.turn("pass")

    def log(self) -> str:
        pods = self.pods()
        paths = [f"{PODS.path(self.namespace)}/{pod['metadata']['name']}/log" for pod in pods]
        logs = [self._printed(path, container) for path in paths for container in ("fetch", "train")]
        return "\n".join([json.dumps([*self.jobs(), *pods], indent=1)[-6000:], *logs])

    def close(self) -> None:
        self._api.call("DELETE", f"/api/v1/namespaces/{self.namespace}")

    def _install(self) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace, "labels": labels}}
        self._api.call("POST", "/api/v1/namespaces", body=made)
        base = K8S / "base"
        for kind, path in (
            (ACCOUNTS, base / "service-account.yaml"),
            (ROLES, ROLE),
            (ROLE_BINDINGS, base / "role-binding.yaml"),
        ):
            self._make(kind, yaml.safe_load(path.read_text()))

    def _make(self, kind: Kind, object: Object) -> None:
        for subject in object.get("subjects", ()):
            subject["namespace"] = self.namespace
        self._api.call("POST", kind.path(self.namespace), body=object)

    def _all(self, kind: Kind) -> list[Object]:
        found: list[Object] = self._api.call("GET", kind.path(self.namespace))["items"]
        return found

    def _printed(self, path: str, container: str) -> str:
        try:
            return f"{path} {container}:\n" + self._api.text(path, {"container": container, "tailLines": "50"})
        except ApiError as error:
            return str(error)

    def _config(self, where: Mapping[str, Any]) -> Object:
        """What Pawl gets: its own token, and the way through the door."""
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
        answer = self._api.call("POST", f"{ACCOUNTS.path(self.namespace)}/pawl/token", body=asked)
        name = where.get("tls-server-name") or urlsplit(where["server"]).hostname
        through = {**where, "server": f"https://{self._door.endpoint}", "tls-server-name": name}
        context = {"cluster": "there", "user": "pawl", "namespace": self.namespace}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "there",
            "clusters": [{"name": "there", "cluster": through}],
            "users": [{"name": "pawl", "user": {"token": answer["status"]["token"]}}],
            "contexts": [{"name": "there", "context": context}],
        }


@contextmanager
def real_cluster(folder: Path, image: str, host: str) -> Iterator[RealCluster]:
    """Of KUBECONFIG."""
    view = [KUBECTL, "config", "view", "--raw", "--minify", "--flatten", "--output=json"]
    config = json.loads(subprocess.run(view, capture_output=True, check=True).stdout)
    where = config["clusters"][0]["cluster"]
    server = urlsplit(where["server"])
    with ExitStack() as stack:
        door = Door(f"{server.hostname}:{server.port or 443}")
        stack.callback(door.close)
        made = RealCluster(folder, connect(), image, host, where, door)
        stack.callback(made.close)
        yield made


@contextmanager
def some_cluster(folder: Path) -> Iterator[AnyCluster]:
    """The one that the environment asks for; otherwise the double."""
    if image := os.environ.get(IMAGE):
        with real_cluster(folder, image, os.environ[HOST]) as real:
            yield real
    else:
        with cluster(folder) as double:
            yield double
