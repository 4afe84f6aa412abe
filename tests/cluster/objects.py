"""What an API server keeps: objects by kind and name, each change with a version of its own, and the last changes."""

from __future__ import annotations

import copy
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]


class Problem(Exception):
    """A request that is refused, as the API server says it."""

    def __init__(self, status: int, reason: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": status,
        }


@dataclass(frozen=True)
class Kind:
    """Of objects."""

    group: str
    version: str
    kind: str
    plural: str

    is_in_namespaces: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str) -> str:
        root = f"/apis/{self.group}" if self.group else "/api"
        return f"{root}/{self.version}/namespaces/{namespace}/{self.plural}"


JOBS = Kind("batch", "v1", "Job", "jobs")
PODS = Kind("", "v1", "Pod", "pods")
SECRETS = Kind("", "v1", "Secret", "secrets")
CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
NAMESPACES = Kind("", "v1", "Namespace", "namespaces", is_in_namespaces=False)
ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
ROLES = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDINGS = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
KINDS = (JOBS, PODS, SECRETS, CONFIG_MAPS, NAMESPACES, ACCOUNTS, ROLES, ROLE_BINDINGS)


@dataclass(frozen=True)
class Change:
    version: int
    type: str
    kind: Kind
    object: Object


class Objects:
    """For any thread. What is given out is not to be changed: a change makes another object of it."""

    def __init__(self, now: Callable[[], float], namespace: str = "pawl") -> None:
        """`namespace`: the first there is."""
        self.lock = threading.RLock()
        self.version = 1000
        self.changes: list[Change] = []
        """Since the last `compact`."""
        self.oldest = 1000
        self.written = 0
        """How often anything was changed."""
        self._now = now
        self._objects: dict[tuple[str, str, str], Object] = {}
        self.create(NAMESPACES, "", {"metadata": {"name": namespace}})

    def time(self, ahead_s: float = 0.0) -> str:
        return datetime.fromtimestamp(self._now() + ahead_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def all(self, kind: Kind, namespace: str) -> list[Object]:
        with self.lock:
            found = [
                one for (plural, where, _), one in self._objects.items() if (plural, where) == (kind.plural, namespace)
            ]
            return sorted(found, key=lambda one: one["metadata"]["name"])

    def everywhere(self, kind: Kind) -> list[Object]:
        with self.lock:
            return [one for (plural, _, _), one in self._objects.items() if plural == kind.plural]

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        with self.lock:
            found = self._objects.get((kind.plural, namespace, name))
            if found is None:
                raise Problem(
                    404, "NotFound", f'{kind.plural}{"." if kind.group else ""}{kind.group} "{name}" not found'
                )
            return found

    def create(self, kind: Kind, namespace: str, object: Object) -> Object:
        with self.lock:
            name = object["metadata"]["name"]
            if (kind.plural, namespace, name) in self._objects:
                raise Problem(409, "AlreadyExists", f'{kind.plural} "{name}" already exists')
            made = copy.deepcopy(object)
            made["apiVersion"], made["kind"] = kind.api_version, kind.kind
            where = {"namespace": namespace} if kind.is_in_namespaces else {}
            made["metadata"] |= {**where, "uid": str(uuid.uuid4()), "creationTimestamp": self.time()}
            return self._put("ADDED", kind, made)

    def change(self, kind: Kind, namespace: str, name: str, change: Callable[[Object], None]) -> Object:
        """`change` gets a copy to change. Nothing is written where that changes nothing."""
        with self.lock:
            before = self.get(kind, namespace, name)
            after = copy.deepcopy(before)
            change(after)
            return before if after == before else self._put("MODIFIED", kind, after)

    def remove_all(self, namespace: str) -> None:
        """What pods' kubelets have yet to end is removed by them, as of Jobs that are gone."""
        with self.lock:
            for plural, where, name in list(self._objects):
                kind = next(kind for kind in KINDS if kind.plural == plural)
                if where == namespace and kind is not PODS:
                    self.remove(kind, namespace, name)

    def remove(self, kind: Kind, namespace: str, name: str) -> Object:
        with self.lock:
            gone = copy.deepcopy(self.get(kind, namespace, name))
            del self._objects[kind.plural, namespace, name]
            return self._note("DELETED", kind, gone)

    def compact(self) -> None:
        """Forget the changes of before: whoever watches from there is told that they are too old."""
        with self.lock:
            self.changes, self.oldest = [], self.version

    def since(self, version: int, kind: Kind, namespace: str) -> list[Change]:
        with self.lock:
            if version < self.oldest:
                raise Problem(410, "Expired", f"too old resource version: {version} ({self.oldest})")
            return [
                change
                for change in self.changes
                if change.version > version
                and change.kind is kind
                and change.object["metadata"].get("namespace", "") == namespace
            ]

    def _put(self, type: str, kind: Kind, object: Object) -> Object:
        metadata = object["metadata"]
        self._objects[kind.plural, metadata.get("namespace", ""), metadata["name"]] = object
        return self._note(type, kind, object)

    def _note(self, type: str, kind: Kind, object: Object) -> Object:
        self.version += 1
        self.written += 1
        object["metadata"]["resourceVersion"] = str(self.version)
        self.changes.append(Change(self.version, type, kind, object))
        return object


def selected(object: Object, labels: str, fields: str) -> bool:
    """Whether label and field selectors, as a query has them, choose the object."""
    has = object["metadata"].get("labels", {})
    return all(_label(has, one) for one in _requirements(labels)) and all(
        _field(object, one) for one in fields.split(",") if one
    )


def _requirements(selector: str) -> Iterator[str]:
    return (one.strip() for one in re.split(r",(?![^(]*\))", selector) if one.strip())


def _label(has: dict[str, str], requirement: str) -> bool:
    if found := re.fullmatch(r"(\S+)\s+(in|notin)\s+\((.*)\)", requirement):
        among = {one.strip() for one in found[3].split(",")}
        return (has.get(found[1]) in among) == (found[2] == "in")
    if "!=" in requirement:
        key, _, value = requirement.partition("!=")
        return has.get(key.strip()) != value.strip()
    if "=" in requirement:
        key, _, value = requirement.replace("==", "=").partition("=")
        return has.get(key.strip()) == value.strip()
    return requirement[1:] not in has if requirement.startswith("!") else requirement in has


def _field(object: Object, requirement: str) -> bool:
    path, _, value = requirement.partition("=")
    found: Any = object
    for part in path.strip().split("."):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return str(found) == value.lstrip("=")
