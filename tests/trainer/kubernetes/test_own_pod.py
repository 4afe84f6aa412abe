from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from trainer.executor import ExecutorUnavailable
from trainer.kubernetes.api import Object
from trainer.kubernetes.errors import error_of
from trainer.kubernetes.own_pod import OwnPod, PodLikeness

SPEC = {
    "securityContext": {"runAsUser": 1000, "fsGroup": 2000, "runAsNonRoot": True},
    "imagePullSecrets": [{"name": "registry"}],
    "containers": [
        {"name": "sidecar", "image": "other:1"},
        {
            "name": "pawl",
            "image": "pawl:1",
            "imagePullPolicy": "Never",
            "securityContext": {"runAsUser": 1234, "readOnlyRootFilesystem": True},
        },
    ],
}


class Pods:
    """An API server with one pod, or an answer instead of it."""

    def __init__(self, status: int = 200) -> None:
        self.asked = 0
        self._status = status

    def call(self, method: str, path: str, query: Mapping[str, str] = {}, body: Object | None = None) -> Object:
        self.asked += 1
        assert (method, path) == ("GET", "/api/v1/namespaces/models/pods/pawl-0")
        if self._status != 200:
            raise error_of(self._status, "no")
        return {"spec": SPEC}

    def text(self, path: str, query: Mapping[str, str] = {}) -> str:
        raise AssertionError

    def watch(self, path: str, query: Mapping[str, str], seconds: float) -> Iterator[Object]:
        raise AssertionError


def own(pods: Pods, image: str = "") -> OwnPod:
    return OwnPod(pods, "models", image, lambda: "pawl-0")


def test_pods_of_runs_are_like_the_server_s() -> None:
    pods = Pods()
    found = own(pods)
    likeness = PodLikeness("pawl:1", "Never", ("registry",), {"runAsUser": 1234, "fsGroup": 2000})
    assert [found(), found()] == [likeness, likeness]
    assert pods.asked == 1


def test_another_image_is_taken_with_the_rest() -> None:
    assert own(Pods(), "mine:2")() == PodLikeness("mine:2", "", ("registry",), {"runAsUser": 1234, "fsGroup": 2000})


@pytest.mark.parametrize("status", [403, 404])
def test_outside_of_a_cluster_an_image_must_be_named(status: int) -> None:
    assert own(Pods(status), "mine:2")() == PodLikeness("mine:2")
    with pytest.raises(ExecutorUnavailable, match="TRAIN_IMAGE is not set, and the pod pawl-0"):
        own(Pods(status))()


def test_an_api_server_that_is_away_is_asked_again() -> None:
    pods = Pods(503)
    found = own(pods, "mine:2")
    for _ in range(2):
        with pytest.raises(ExecutorUnavailable):
            found()
    assert pods.asked == 2
