"""What a scheduler and a node's kubelet make of pods: their containers are processes here, one after the other."""

from __future__ import annotations

import base64
import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.api import ApiDouble
from tests.cluster.controllers import is_terminal, seconds
from tests.cluster.objects import CONFIG_MAPS, PODS, SECRETS, Object, Problem
from tests.cluster.sandbox import HAS_BUBBLEWRAP, Container, Mount, Process, start
from trainer.kubernetes.caps import cores_of

NODE = "node-1"
CORES = 64
IMAGE = "pawl:test"
"""The one that can be pulled."""


@dataclass
class _Pod:
    home: Path
    containers: list[Object]
    at: int = -1
    """Which container runs, or ran last."""
    process: Process | None = None
    ended: list[int] = field(default_factory=list)
    reason: str = ""
    """Why its container was killed from outside."""
    killed_at: float = 0.0


class Kubelet:
    """`step` is called by one thread."""

    def __init__(
        self, api: ApiDouble, home: Path, claims: Path, now: Callable[[], float], confined: bool = HAS_BUBBLEWRAP
    ) -> None:
        """`claims`: a folder for each claim that there is. `confined`: whether its pods are in bubblewrap."""
        self._api = api
        self.home = home
        self._claims = claims
        self._now = now
        self._confined = confined
        self._pods: dict[str, _Pod] = {}

    def step(self) -> None:
        pods = {pod["metadata"]["uid"]: pod for pod in self._api.objects.everywhere(PODS)}
        for uid in self._pods.keys() - pods.keys():
            self._forget(uid)
        for pod in pods.values():
            self._keep(pod)

    def log(self, name: str, container: str) -> str:
        for path in self.home.glob(f"{name}/{container}.log"):
            return path.read_text(errors="replace")
        return ""

    def kill(self, name: str, reason: str = "Error") -> None:
        """The container that runs is ended as by the kernel: `OOMKilled`, or Error."""
        pod = self._of(name)
        assert pod is not None
        assert pod.process is not None
        pod.reason = reason
        pod.process.kill()

    def pid(self, name: str) -> int:
        pod = self._of(name)
        return pod.process.pid if pod is not None and pod.process is not None else 0

    def close(self) -> None:
        for uid in list(self._pods):
            self._forget(uid)

    def _keep(self, pod: Object) -> None:
        metadata = pod["metadata"]
        if is_terminal(pod):
            if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
                self._remove(pod)
        elif metadata["uid"] in self._pods:
            self._go_on(pod, self._pods[metadata["uid"]])
        elif "deletionTimestamp" in metadata:
            self._say(metadata["namespace"], metadata["name"], phase="Failed")
        else:
            self._take(pod)

    def _take(self, pod: Object) -> None:
        """Schedule it, pull its image, make its volumes."""
        metadata, spec = pod["metadata"], pod["spec"]
        where = metadata["namespace"], metadata["name"]
        containers = [*spec.get("initContainers", ()), *spec["containers"]]
        if any(_cores(one) > CORES for one in containers):
            said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
            self._say(*where, conditions=[{**said, "message": "0/1 nodes are available: 1 Insufficient cpu."}])
            return
        if "nodeName" not in spec:
            self._api.objects.change(PODS, *where, lambda one: one["spec"].update(nodeName=NODE))
            scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": self._api.objects.time()}
            self._say(*where, conditions=[scheduled])
        if (image := containers[0]["image"]) != IMAGE:
            self._wait(pod, containers, "ImagePullBackOff", f'Back-off pulling image "{image}"')
            return
        home = self.home / metadata["name"]
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        self._pods[metadata["uid"]] = _Pod(home, containers)

    def _go_on(self, pod: Object, kept: _Pod) -> None:
        metadata = pod["metadata"]
        if kept.process is not None and "deletionTimestamp" in metadata:
            self._end(metadata["deletionTimestamp"], pod, kept)
        status = kept.process.status() if kept.process is not None else 0
        if status is None:
            return
        if kept.process is not None:
            kept.ended.append(status)
            kept.process = None
        if status or kept.at + 1 >= len(kept.containers):
            kept.at = len(kept.containers)
            self._tell(pod, kept, "Failed" if status else "Succeeded")
        else:
            self._start(pod, kept)

    def _start(self, pod: Object, kept: _Pod) -> None:
        container = kept.containers[kept.at + 1]
        try:
            environ = self._environ(pod["metadata"]["namespace"], container)
            mounts = self._mounts(pod, kept, container)
            of_pod = [mount for one in kept.containers for mount in self._mounts(pod, kept, one)]
        except Problem as error:
            self._wait(pod, kept.containers, "CreateContainerConfigError", str(error))
            return
        kept.at += 1
        user = {**pod["spec"].get("securityContext", {}), **container.get("securityContext", {})}.get("runAsUser", 0)
        output = kept.home / f"{container['name']}.log"
        command = container["command"] + container.get("args", [])
        kept.process = start(Container(command, environ, mounts, of_pod, user, output), self._confined)
        self._tell(pod, kept, "Pending" if kept.at < len(kept.containers) - 1 else "Running")

    def _end(self, deadline: str, pod: Object, kept: _Pod) -> None:
        """SIGTERM, and after the grace SIGKILL."""
        assert kept.process is not None
        if not kept.killed_at:
            kept.killed_at = self._now()
            kept.process.signal(signal.SIGTERM)
        elif self._now() > seconds(deadline):
            kept.process.kill()

    def _tell(self, pod: Object, kept: _Pod, phase: str) -> None:
        names = [container["name"] for container in kept.containers]
        init = len(pod["spec"].get("initContainers", ()))
        states = [self._state(kept, number) for number in range(len(names))]
        statuses = [
            {"name": name, "state": state, "ready": "running" in state, "restartCount": 0, "image": "", "imageID": ""}
            for name, state in zip(names, states, strict=True)
        ]
        where = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._say(*where, phase=phase, initContainerStatuses=statuses[:init], containerStatuses=statuses[init:])

    def _state(self, kept: _Pod, number: int) -> Object:
        if number < len(kept.ended):
            code = kept.ended[number]
            reason = kept.reason if code and kept.reason else "Error" if code else "Completed"
            log = kept.home / f"{kept.containers[number]['name']}.log"
            said = log.read_text(errors="replace")[-2048:] if code and log.exists() else ""
            told = {"message": said} if kept.containers[number].get("terminationMessagePolicy") else {}
            return {"terminated": {"exitCode": code, "reason": reason, **told}}
        if number == kept.at and kept.process is not None:
            return {"running": {"startedAt": self._api.objects.time()}}
        return {"waiting": {"reason": "PodInitializing"}}

    def _wait(self, pod: Object, containers: list[Object], reason: str, message: str) -> None:
        waiting = {"waiting": {"reason": reason, "message": message}}
        init = len(pod["spec"].get("initContainers", ()))
        statuses = [
            {"name": container["name"], "state": waiting, "ready": False, "restartCount": 0, "image": "", "imageID": ""}
            for container in containers
        ]
        where = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._say(*where, initContainerStatuses=statuses[:init], containerStatuses=statuses[init:])

    def _environ(self, namespace: str, container: Object) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            kind, ref = (
                (SECRETS, source["secretRef"]) if "secretRef" in source else (CONFIG_MAPS, source["configMapRef"])
            )
            try:
                values = _values(self._api.objects.get(kind, namespace, ref["name"]))
            except Problem:
                if not ref.get("optional"):
                    raise
                continue
            named = {source.get("prefix", "") + name: value.decode() for name, value in values.items()}
            found |= {name: value for name, value in named.items() if re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name)}
        return found | {variable["name"]: variable.get("value", "") for variable in container.get("env", ())}

    def _mounts(self, pod: Object, kept: _Pod, container: Object) -> list[Mount]:
        return [self._mount(pod, kept, mount) for mount in container.get("volumeMounts", ())]

    def _mount(self, pod: Object, kept: _Pod, mount: Object) -> Mount:
        volume = next(one for one in pod["spec"]["volumes"] if one["name"] == mount["name"])
        if "persistentVolumeClaim" in volume:
            source = self._claims / volume["persistentVolumeClaim"]["claimName"]
            if not source.is_dir():
                raise Problem(404, "NotFound", f'persistentvolumeclaim "{source.name}" not found')
        else:
            source = kept.home / "volumes" / volume["name"]
            source.mkdir(parents=True, exist_ok=True)
            if "secret" in volume:
                self._write_secret(pod["metadata"]["namespace"], volume["secret"], source)
        return Mount(source, mount["mountPath"], mount.get("readOnly", False))

    def _write_secret(self, namespace: str, secret: Object, into: Path) -> None:
        try:
            values = _values(self._api.objects.get(SECRETS, namespace, secret["secretName"]))
        except Problem:
            if not secret.get("optional"):
                raise
            return
        for name, value in values.items():
            (into / name).write_bytes(value)

    def _remove(self, pod: Object) -> None:
        self._forget(pod["metadata"]["uid"])
        self._api.objects.remove(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _forget(self, uid: str) -> None:
        kept = self._pods.pop(uid, None)
        if kept is not None and kept.process is not None:
            kept.process.kill()

    def _of(self, name: str) -> _Pod | None:
        return next((kept for kept in self._pods.values() if kept.home.name == name), None)

    def _say(self, namespace: str, name: str, **status: object) -> None:
        self._api.objects.change(PODS, namespace, name, lambda one: one.setdefault("status", {}).update(status))


def _cores(container: Object) -> float:
    return cores_of(container.get("resources", {}).get("requests", {}).get("cpu", 0))


def _values(object: Object) -> dict[str, bytes]:
    encoded = (
        {name: base64.b64decode(value) for name, value in (object.get("data") or {}).items()}
        if object["kind"] == "Secret"
        else {}
    )
    plain = object.get("data") or {} if object["kind"] == "ConfigMap" else object.get("stringData") or {}
    return encoded | {name: value.encode() for name, value in plain.items()}
