"""The server's own pod: what runs in it can train, too, so pods of runs are made like it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from trainer.executor import ExecutorUnavailable
from trainer.kubernetes.api import Api, Object
from trainer.kubernetes.errors import ObjectNotFound, Refused

_USERS = ("runAsUser", "runAsGroup", "fsGroup", "supplementalGroups")


@dataclass(frozen=True)
class PodLikeness:
    """What pods of runs take from the server's."""

    image: str
    pull_policy: str = ""
    """Of that image; empty: as Kubernetes has it."""
    pull_secrets: tuple[str, ...] = ()
    user: Mapping[str, object] = field(default_factory=dict)
    """Of the security context, whom it runs as."""


class OwnPod:
    """Asked for once."""

    def __init__(self, api: Api, namespace: str, image: str = "", pod: Callable[[], str] = socket.gethostname) -> None:
        """`image`: one that is taken instead, and then the pod need not be there. `pod`: its name; a pod's host name is
        that, unless somebody gave it another."""
        self._api = api
        self._namespace = namespace
        self._image = image
        self._pod = pod
        self._known: PodLikeness | None = None

    def __call__(self) -> PodLikeness:
        """Raises ExecutorUnavailable."""
        if self._known is None:
            self._known = self._look()
        return self._known

    def _look(self) -> PodLikeness:
        name = self._pod()
        try:
            spec = self._api.call("GET", f"/api/v1/namespaces/{self._namespace}/pods/{name}")["spec"]
        except (ObjectNotFound, Refused) as error:
            if self._image:
                return PodLikeness(self._image)
            raise ExecutorUnavailable(
                f"TRAIN_IMAGE is not set, and the pod {name}, whose image would be taken, can't be read: {error}"
            ) from error
        container = next((one for one in spec["containers"] if one["name"] == "pawl"), spec["containers"][0])
        secrets = tuple(one["name"] for one in spec.get("imagePullSecrets") or ())
        policy = "" if self._image else str(container.get("imagePullPolicy", ""))
        return PodLikeness(self._image or str(container["image"]), policy, secrets, _user(spec, container))


def _user(spec: Object, container: Object) -> dict[str, object]:
    both = {**(spec.get("securityContext") or {}), **(container.get("securityContext") or {})}
    return {key: both[key] for key in _USERS if key in both}
