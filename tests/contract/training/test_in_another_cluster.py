"""The way to a cluster that KUBECONFIG names, tried on the double: so that it works where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster, cluster
from tests.cluster.gate import Gate
from tests.cluster.installation import installed
from tests.cluster.objects import NAMESPACES
from tests.cluster.real import HOST, IMAGE
from tests.contract.training.test_on_kubernetes import ETLS, GOES_ON, push


def namespaces(one: Cluster) -> set[str]:
    return {found["metadata"]["name"] for found in one.objects.everywhere(NAMESPACES)}


def test_what_the_tests_ask_of_a_cluster_is_done_and_nothing_of_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "double").mkdir()
    with cluster(tmp_path / "double") as one:
        for name, value in {"KUBECONFIG": str(one.admin_kubeconfig), IMAGE: one.image, HOST: one.host}.items():
            monkeypatch.setenv(name, value)
        with installed(tmp_path) as here:
            assert len(namespaces(one)) == 2
            gate = Gate(here.cluster.host)
            push(here, "Away", f"{{params: {{gate: {gate.address}, depth: 4}}}}")
            gate.reached()
            with here.cluster.away():
                gate.open()
                [job] = here.cluster.jobs()
                run = job["metadata"]["labels"]["pawl.dev/run"]
                here.server.wait(lambda: here.jobs(run)[0]["status"].get("succeeded"), "the Job's end")
            here.server.wait_live("Away", "v1")
            here.push(
                "Drained", train_py=GOES_ON, etls_py=ETLS, model_yaml=f"train: {{params: {{gate: {gate.address}}}}}\n"
            )
            gate.reached()
            here.cluster.drain(here.pod(here.run("Drained", "running")["run"]))
            gate.close()
            here.server.wait_live("Drained", "v1")
            assert "depth 4" in here.cluster.log()
        assert len(namespaces(one)) == 1
        assert not one.access.refused, "its own token has the rights that are shipped"
