"""The image of the server's own pod: what runs in it can train, too."""

from __future__ import annotations

import socket
from collections.abc import Callable

from trainer.executor import ExecutorUnavailable
from trainer.kubernetes.api import Api
from trainer.kubernetes.errors import ObjectNotFound, Refused


class OwnImage:
    """Asked for once."""

    def __init__(self, api: Api, namespace: str, pod: Callable[[], str] = socket.gethostname) -> None:
        """`pod`: its name; a pod's host name is that, unless somebody gave it another."""
        self._api = api
        self._namespace = namespace
        self._pod = pod
        self._known = ""

    def __call__(self) -> str:
        """Raises ExecutorUnavailable."""
        if not self._known:
            self._known = self._look()
        return self._known

    def _look(self) -> str:
        name = self._pod()
        try:
            pod = self._api.call("GET", f"/api/v1/namespaces/{self._namespace}/pods/{name}")
        except (ObjectNotFound, Refused) as error:
            raise ExecutorUnavailable(
                f"TRAIN_IMAGE is not set, and the pod {name}, whose image would be taken, can't be read: {error}"
            ) from error
        containers = pod["spec"]["containers"]
        own = next((one for one in containers if one["name"] == "pawl"), containers[0])
        return str(own["image"])
