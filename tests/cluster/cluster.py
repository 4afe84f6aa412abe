"""A cluster on this machine: an API server over HTTPS, its controllers, and a node whose pods are processes."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from tests.cluster import controllers
from tests.cluster.access import Access, shipped_rules
from tests.cluster.api import ApiDouble
from tests.cluster.kubelet import IMAGE, Kubelet
from tests.cluster.objects import JOBS, PODS, SECRETS, Object, Objects
from tests.cluster.sandbox import HAS_BUBBLEWRAP
from tests.cluster.server import ApiHttp

NAMESPACE = "pawl"
_STEP_S = 0.02


class AnyCluster(Protocol):
    """What tests ask of a cluster, be it this or one that is there: `real.py`."""

    kubeconfig: Path
    """With the rights of the shipped Role, in a namespace that is theirs alone."""
    host: str
    """An address of this machine, as pods see it."""
    image: str
    """Pawl's, as it lies here."""
    pending_s: float
    """So long may a pod wait that will never start."""

    def secret(self, name: str, values: Mapping[str, str]) -> None: ...

    def jobs(self) -> list[Object]: ...

    def pods(self) -> list[Object]: ...

    def drain(self, pod: Object) -> None:
        """By the eviction API."""
        ...

    def run_out_of_memory(self, pod: Object) -> None:
        """Its second container, which is at work."""
        ...

    def away(self) -> AbstractContextManager[None]:
        """Meanwhile whoever has the kubeconfig does not reach the API server."""
        ...

    def log(self) -> str:
        """What there is, for a test that failed."""
        ...


class Clock:
    """The machine's, as far ahead as tests set it."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> float:
        return time.time() + self.ahead_s


class Cluster:
    """An `AnyCluster`."""

    host = "127.0.0.1"
    image = IMAGE
    pending_s = 0.5

    def __init__(self, folder: Path, confined: bool = HAS_BUBBLEWRAP) -> None:
        self.clock = Clock()
        self.objects = Objects(self.clock.now, NAMESPACE)
        self.access = Access(shipped_rules(), f"system:serviceaccount:{NAMESPACE}:pawl")
        self.api = ApiDouble(self.objects, self.access, lambda pod, container: self.kubelet.log(pod, container))
        self.claims = folder / "claims"
        self.claims.mkdir()
        self.kubelet = Kubelet(self.api, folder / "pods", self.claims, self.clock.now, confined)
        self._http = ApiHttp(self.api, folder, NAMESPACE)
        self.kubeconfig = self._http.kubeconfig
        self.admin_kubeconfig = self._http.admin_kubeconfig
        self._over = threading.Event()
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def jobs(self) -> list[Object]:
        return self.objects.all(JOBS, NAMESPACE)

    def pods(self) -> list[Object]:
        return self.objects.all(PODS, NAMESPACE)

    def claim(self, name: str) -> Path:
        """A claim's volume."""
        path = self.claims / name
        path.mkdir(exist_ok=True)
        return path

    def secret(self, name: str, values: Mapping[str, str]) -> None:
        self.objects.create(SECRETS, NAMESPACE, secret_of(name, values))

    def drain(self, pod: Object) -> None:
        self.api.evict(NAMESPACE, pod["metadata"]["name"])

    def run_out_of_memory(self, pod: Object) -> None:
        self.kubelet.kill(pod["metadata"]["name"], "OOMKilled")

    @contextmanager
    def away(self) -> Iterator[None]:
        self.api.is_away = True
        try:
            yield
        finally:
            self.api.is_away = False

    def log(self) -> str:
        logs = [f"{path}:\n{path.read_text(errors='replace')[-3000:]}" for path in self.kubelet.home.glob("*/*.log")]
        return "\n".join([json.dumps([*self.jobs(), *self.pods()], indent=1)[-6000:], *logs])

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self.kubelet.close()
        self._http.close()
        if self._trouble is not None:
            raise self._trouble

    def _run(self) -> None:
        try:
            while not self._over.wait(_STEP_S):
                controllers.step(self.api, self.clock.now())
                self.kubelet.step()
        except BaseException as error:
            self._trouble = error


def secret_of(name: str, values: Mapping[str, str]) -> Object:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


@contextmanager
def cluster(folder: Path, confined: bool = HAS_BUBBLEWRAP) -> Iterator[Cluster]:
    made = Cluster(folder, confined)
    try:
        yield made
    finally:
        made.close()
