"""The API server's answers, whoever carries them: over HTTPS in `server.py`, or at once in a simulation."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.cluster.access import Access, Asked
from tests.cluster.objects import JOBS, KINDS, NAMESPACES, PODS, Kind, Object, Objects, Problem, selected
from tests.cluster.schemas import check

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/v1(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<sub>status|log|token|eviction))?)?"
)
FOREGROUND = "foregroundDeletion"
TOKEN = "the-service-account-token"
"""Of every service account."""


@dataclass(frozen=True)
class Asking:
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_admin: bool = False
    """Whether whoever asks may do all."""

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch") in ("true", "1")


@dataclass
class Faults:
    """What goes wrong next: for every request whose method and path `when` chooses, as often as `times` says."""

    status: int = 0
    """What is answered; 0: the connection is cut."""
    times: int = 1
    retry_after_s: int | None = None
    takes_effect: bool = False
    """Whether the request was done all the same."""
    message: str = "the request was not served"
    when: Callable[[Asking], bool] = lambda asking: True


class ApiDouble:
    """For any thread."""

    def __init__(
        self,
        objects: Objects,
        access: Access,
        log_of: Callable[[str, str], str] = lambda pod, container: "",
        check: Callable[[Object], None] = check,
    ) -> None:
        """`check` raises Problem for an object that breaks its schema."""
        self.objects = objects
        self.access = access
        self.faults: deque[Faults] = deque()
        self.is_away = False
        """Whether nobody reaches it."""
        self.requests: list[Asking] = []
        self._log_of = log_of
        self._check = check
        self._lock = threading.Lock()

    def answer(self, asking: Asking) -> Object | str:
        """Raises Problem, and ConnectionError where there is no answer."""
        fault = self._fault(asking)
        if fault is None or fault.takes_effect:
            answer = self._answered(asking)
        if fault is None:
            return answer
        if fault.status == 0:
            raise ConnectionResetError
        raise Problem(fault.status, "", fault.message, fault.retry_after_s)

    def changes(self, asking: Asking, version: int) -> Iterator[tuple[int, Object]]:
        """What a watch is told by now, and the version that it has come to. Raises Problem, ConnectionError."""
        if self.is_away:
            raise ConnectionResetError
        kind, namespace, _, _ = self._place(asking)
        labels, fields = asking.query.get("labelSelector", ""), asking.query.get("fieldSelector", "")
        for change in self.objects.since(version, kind, namespace):
            if selected(change.object, labels, fields):
                yield change.version, {"type": change.type, "object": change.object}

    def bookmark(self, asking: Asking) -> Object:
        kind, _, _, _ = self._place(asking)
        metadata = {"resourceVersion": str(self.objects.version), "creationTimestamp": None}
        return {"type": "BOOKMARK", "object": {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}}

    def admit(self, asking: Asking) -> int:
        """A watch; the version from which on. Raises Problem, ConnectionError."""
        fault = self._fault(asking)
        if fault is not None and fault.status:
            raise Problem(fault.status, "", "the watch was not served", fault.retry_after_s)
        if fault is not None:
            raise ConnectionResetError
        kind, namespace, _, _ = self._place(asking)
        self._check_access(asking, Asked("watch", kind.group, kind.plural), namespace)
        return int(asking.query.get("resourceVersion") or self.objects.version)

    def _fault(self, asking: Asking) -> Faults | None:
        with self._lock:
            self.requests.append(asking)
            if self.is_away:
                raise ConnectionResetError
            for fault in self.faults:
                if fault.times > 0 and fault.when(asking):
                    fault.times -= 1
                    return fault
        return None

    def _answered(self, asking: Asking) -> Object | str:
        kind, namespace, name, sub = self._place(asking)
        verb = _verb(asking, name)
        self._check_access(asking, Asked(verb, kind.group, f"{kind.plural}/{sub}" if sub else kind.plural), namespace)
        match verb:
            case "list":
                return self._list(asking, kind, namespace)
            case "get" if sub == "log":
                self.objects.get(kind, namespace, name)
                return self._log(asking, name)
            case "get":
                return self.objects.get(kind, namespace, name)
            case "create" if sub == "token":
                self.objects.get(kind, namespace, name)
                return {"kind": "TokenRequest", "status": {"token": TOKEN}}
            case "create" if sub == "eviction":
                return self.evict(namespace, name)
            case "create":
                return self._create(asking, kind, namespace)
            case "delete":
                return self._delete(asking, kind, namespace, name)
        raise Problem(405, "MethodNotAllowed", "the double does not do that")

    def _check_access(self, asking: Asking, asked: Asked, namespace: str) -> None:
        if not asking.is_admin:
            self.access.check(asked, namespace)

    def _log(self, asking: Asking, name: str) -> str:
        lines = self._log_of(name, asking.query.get("container", "")).splitlines(keepends=True)
        return "".join(lines[-int(asking.query.get("tailLines", len(lines) or 1)) :])

    def _list(self, asking: Asking, kind: Kind, namespace: str) -> Object:
        with self.objects.lock:
            labels, fields = asking.query.get("labelSelector", ""), asking.query.get("fieldSelector", "")
            found = [one for one in self.objects.all(kind, namespace) if selected(one, labels, fields)]
            metadata: Object = {"resourceVersion": str(self.objects.version)}
            after = asking.query.get("continue", "")
            found = [one for one in found if one["metadata"]["name"] > after]
            limit = int(asking.query.get("limit", 0)) or len(found)
            if len(found) > limit:
                metadata["continue"] = found[limit - 1]["metadata"]["name"]
            return {
                "kind": f"{kind.kind}List",
                "apiVersion": kind.api_version,
                "metadata": metadata,
                "items": found[:limit],
            }

    def _create(self, asking: Asking, kind: Kind, namespace: str) -> Object:
        object = json.loads(asking.body)
        if object.get("metadata", {}).get("namespace", namespace) != namespace:
            raise Problem(400, "BadRequest", "the namespace of the object does not match that of the request")
        self._check(object)
        if kind.is_in_namespaces:
            self.objects.get(NAMESPACES, "", namespace)
        if kind is JOBS:
            object["spec"].setdefault("suspend", False)
            object.setdefault("status", {})
        return self.objects.create(kind, namespace, object)

    def _delete(self, asking: Asking, kind: Kind, namespace: str, name: str) -> Object:
        options = json.loads(asking.body or b"{}")
        policy = options.get("propagationPolicy") or asking.query.get("propagationPolicy") or "Background"
        with self.objects.lock:
            found = self.objects.get(kind, namespace, name)
            uid = (options.get("preconditions") or {}).get("uid")
            if uid not in (None, found["metadata"]["uid"]):
                raise Problem(409, "Conflict", f"the UID in the precondition ({uid}) does not match the UID in record")
            if kind is JOBS and policy == "Foreground":
                return self.objects.change(kind, namespace, name, self._end_in_foreground)
            if kind is PODS:
                grace = options.get("gracePeriodSeconds", found["spec"].get("terminationGracePeriodSeconds", 30))
                return self.end_pod(namespace, name, grace)
            self.objects.remove(kind, namespace, name)
            if kind is NAMESPACES:
                self.objects.remove_all(name)
            return {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {"name": name},
            }

    def evict(self, namespace: str, name: str) -> Object:
        """As whoever drains a node does: a condition, and a deletion with the pod's grace."""
        disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        said = {**disrupted, "message": "Eviction API: evicting"}

        def disrupt(pod: Object) -> None:
            pod["status"]["conditions"] = [*pod["status"].get("conditions", ()), said]

        pod = self.objects.change(PODS, namespace, name, disrupt)
        self.end_pod(namespace, name, pod["spec"].get("terminationGracePeriodSeconds", 30))
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def end_pod(self, namespace: str, name: str, grace_s: int) -> Object:
        """Its kubelet is told to end it."""

        def end(pod: Object) -> None:
            pod["metadata"].setdefault("deletionTimestamp", self.objects.time(grace_s))
            pod["metadata"].setdefault("deletionGracePeriodSeconds", grace_s)

        return self.objects.change(PODS, namespace, name, end)

    def _end_in_foreground(self, job: Object) -> None:
        job["metadata"].setdefault("deletionTimestamp", self.objects.time())
        finalizers = job["metadata"].setdefault("finalizers", [])
        if FOREGROUND not in finalizers:
            finalizers.append(FOREGROUND)

    def _place(self, asking: Asking) -> tuple[Kind, str, str, str]:
        found = _PATH.fullmatch(asking.path)
        if found is None:
            raise Problem(404, "NotFound", "the server could not find the requested resource")
        kinds = [kind for kind in KINDS if (kind.group, kind.plural) == (found["group"] or "", found["plural"])]
        if not kinds:
            raise Problem(404, "NotFound", "the server could not find the requested resource")
        return kinds[0], found["namespace"] or "", found["name"] or "", found["sub"] or ""


def _verb(asking: Asking, name: str) -> str:
    if asking.method == "GET":
        return "get" if name else "list"
    return {"POST": "create", "DELETE": "delete", "PUT": "update", "PATCH": "patch"}[asking.method]
