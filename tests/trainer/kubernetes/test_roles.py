"""The Role that is shipped: all that the server asks of a cluster, and nothing beyond."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.cluster.access import Asked, granted, shipped_rules, without
from tests.cluster.api import Faults
from tests.cluster.objects import PODS
from tests.cluster.simulation import NAMESPACE, SimulatedApi
from tests.trainer.kubernetes.test_faults import Calm
from trainer.executor import ExecutorUnavailable
from trainer.kubernetes.own_pod import OwnPod


def test_all_that_is_granted_is_needed_and_all_that_is_needed_granted(tmp_path: Path) -> None:
    world = Calm(tmp_path, models=2, supersede="running")
    use(world)
    assert not world.api.access.refused
    assert set(world.api.access.asked) == set(granted(shipped_rules()))


@pytest.mark.parametrize("verb", granted(shipped_rules()), ids=lambda asked: f"{asked.verb} {asked.resource}")
def test_each_verb_is_missed(tmp_path: Path, verb: Asked) -> None:
    world = Calm(tmp_path, models=2, supersede="running")
    world.api.access.rules = without(shipped_rules(), verb)
    use(world)
    assert world.api.access.refused == {verb}


def use(world: Calm) -> None:
    """All that a server does: it asks for its own image, begins a Job whose answer is lost, says of one that was out of
    memory what it printed last, and ends one that is wanted no more."""
    find_own_pod(world)
    first, second = world.runs
    world.fates[first.run, 1] = "OOMKilled"
    world.api.faults.append(Faults(status=504, takes_effect=True, when=lambda one: one.method == "POST"))
    world.tick()
    world.api.faults.append(Faults(status=500, when=lambda one: one.is_watch))  # so that it has not been seen yet
    world.pass_by(1)
    for pod in world.pods.values():
        if pod.spec.run == second.run:
            pod.left = [("train", float("inf"))]
    world.pass_by(3)
    world.is_wanted = False
    world.pass_by(2)


def find_own_pod(world: Calm) -> None:
    spec = {"containers": [{"name": "pawl", "image": "pawl:1"}]}
    pod = {"metadata": {"name": "pawl-0"}, "spec": spec, "status": {"phase": "Succeeded"}}
    world.objects.create(PODS, NAMESPACE, pod)
    own = OwnPod(SimulatedApi(world.nodes[0]), NAMESPACE, pod=lambda: "pawl-0")
    with suppress(ExecutorUnavailable):
        assert own().image == "pawl:1"
    world.objects.remove(PODS, NAMESPACE, "pawl-0")
