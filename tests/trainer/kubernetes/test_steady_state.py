"""Many Jobs in which nothing happens: what they cost the API server and the daemon.

STEADY_JOBS=100 STEADY_SECONDS=600 pytest tests/trainer/kubernetes/test_steady_state.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import controllers
from tests.cluster.access import Access, shipped_rules
from tests.cluster.api import ApiDouble
from tests.cluster.objects import PODS, Object, Objects
from tests.cluster.server import ApiHttp
from tests.repos import Repo
from tests.serving import ROOT
from trainer.kubernetes.object_cache import WATCH_S

JOBS = int(os.environ.get("STEADY_JOBS", "20"))
SECONDS = float(os.environ.get("STEADY_SECONDS", "5"))
MOST_BYTES = 80_000_000

pytestmark = pytest.mark.timeout(SECONDS + 600)


class Node:
    """The cluster's controllers, and pods that run and do nothing."""

    def __init__(self, api: ApiDouble) -> None:
        self._api = api
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.2):
            controllers.step(self._api, 0.0)
            for pod in self._api.objects.everywhere(PODS):
                self._api.objects.change(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], _runs)


def _runs(pod: Object) -> None:
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": pod["metadata"]["creationTimestamp"]}
    statuses = [{"name": "train", "state": {"running": {}}}]
    pod["status"] = {"phase": "Running", "conditions": [scheduled], "containerStatuses": statuses}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiDouble]:
    api = ApiDouble(Objects(lambda: 1_700_000_000.0), Access(shipped_rules(), "pawl"))
    http, node = ApiHttp(api, tmp_path, "pawl"), Node(api)
    try:
        yield api
    finally:
        node.close()
        http.close()


def test_they_cost_no_writes_and_hardly_a_request_and_little_memory(tmp_path: Path, api: ApiDouble) -> None:
    repo = Repo(tmp_path / "models")
    for number in range(JOBS):
        repo.write(f"Model{number}/train.py", "def train():\n    return 1\n")
    repo.commit()
    command = [sys.executable, "-m", "tests.cluster.steady", str(repo), str(tmp_path / "data")]
    environ = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig"), "PYTHONPATH": str(ROOT)}
    store = (tmp_path / "store").as_uri()
    with subprocess.Popen([*command, store, str(SECONDS)], stdout=subprocess.PIPE, text=True, env=environ) as daemon:
        assert daemon.stdout is not None
        before = int(daemon.stdout.readline())
        written, asked = api.objects.written, len(api.requests)
        after = int(daemon.stdout.readline())
        requests = Counter(f"{one.method} {one.path}" for one in api.requests[asked:])
        print(f"{SECONDS:g} s: {requests}, {(after - before) / 1e6:.1f} MB more", file=sys.stderr)
        assert api.objects.written == written
        assert requests.total() <= 2 * (SECONDS // WATCH_S + 1), "a watch of each kind, begun anew when it is over"
        assert requests.total() <= SECONDS
        assert after - before <= MOST_BYTES
    assert daemon.returncode == 0
