"""Training in a cluster under faults, on a clock of its own: real plans, Jobs, watches and controllers; pods only
pretend. What is drawn comes from one seed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from core.errors import StoreUnavailable
from core.runs.runs import AttemptResult, RunSpec
from core.runs.states import RunState
from loader.artifacts.records import RunRecords
from tests.cluster import controllers
from tests.cluster.access import Access, shipped_rules
from tests.cluster.api import ApiDouble, Asking, Faults
from tests.cluster.controllers import is_terminal, seconds
from tests.cluster.objects import JOBS, PODS, Object, Objects, Problem
from tests.trainer.simulation import Crash, Files, Node, World, _spec
from trainer.kubernetes import names
from trainer.kubernetes.begun import BegunMarks
from trainer.kubernetes.caps import Caps
from trainer.kubernetes.errors import ApiError, error_of
from trainer.kubernetes.job import JobPlace
from trainer.kubernetes.object_cache import ObjectCache
from trainer.kubernetes.runs import KubernetesRuns
from trainer.records.ended_runs import EndedRuns
from trainer.records.open_runs import OpenRuns
from trainer.records.record_names import attempt_record
from trainer.records.recorded_runs import RecordedRuns
from trainer.run_controller import RunController, Told

NAMESPACE = "pawl"
STEPS = ("schedule", "fetch", "train", "artifact", "record", "exit")
TIMES = (0.2, 0.5, 2.0, 2.0, 2.1, 2.2)
PLACE = JobPlace(namespace=NAMESPACE, image="pawl:test", git={})
JOBS_PATH, PODS_PATH = JOBS.path(NAMESPACE), PODS.path(NAMESPACE)


class ClusterWorld(World):
    """Daemons with a store and a cluster between them."""

    def __init__(self, seed: int, home: Path) -> None:
        super().__init__(seed, home)
        self.objects = Objects(lambda: self.now)
        self.api = ApiDouble(self.objects, Access(shipped_rules(), "pawl"), check=lambda _: None)
        self.pods: dict[str, SimulatedPod] = {}
        self.jobs: Counter[tuple[str, int]] = Counter()
        """How many Jobs there were of each attempt."""
        self.seen: set[str] = set()
        self.by_hand: set[tuple[str, int]] = set()
        """Attempts whose Job or pod somebody deleted."""
        self.away_until = 0.0
        self.stuck: dict[str, Any] = {}
        """What is told of pods that do not start."""
        self.fates: dict[tuple[str, int], str] = {}
        """Of attempts, how their pods end: `killed`, `OOMKilled` or `evicted`; of no others: by chance."""
        self.nodes = [Replica(self, home / f"replica{number}") for number in range(len(self.nodes))]

    def tick(self) -> None:
        self.api.is_away = self.now < self.away_until
        if self.happens(0.02):
            self.away_until = self.now + self.random.uniform(0.5, 8)
        if self.happens(0.05):
            self.api.faults.append(self._fault())
        if self.happens(0.05):
            self.objects.compact()
        if self.happens(0.02):
            self._delete_by_hand()
        self.run_cluster()
        super().tick()

    @property
    def has_recovered(self) -> bool:
        """Whether all that fails is over: the store, the API server, nodes and daemons are back."""
        pods = (pod.frozen_until for pod in self.pods.values())
        back = (node.back_at for node in self.nodes if node.controller is None)
        return not self.in_trouble and self.now >= max((self.away_until, self.outage_ends, *pods, *back))

    def is_under_way(self) -> bool:
        """Whether of each wanted run there is a result, a process at work, or the record of its last attempt: then it
        is in its pause, or about to be judged."""
        return all(self._is_known(run.run) for run in self.wanted())

    def _is_known(self, run: str) -> bool:
        begun = max((attempt for key, attempt in self.jobs if key == run), default=0)
        at_work = any(pod.left and pod.asked_at is None for pod in self.pods.values() if pod.spec.run == run)
        recorded = any(name.endswith(f"/{run}/{attempt_record(begun)}") for name in self.store)
        return at_work or recorded or self.result_of(run) is not None

    def run_cluster(self) -> None:
        controllers.step(self.api, self.now)
        for job in self.objects.everywhere(JOBS):
            if job["metadata"]["uid"] not in self.seen:
                self.seen.add(job["metadata"]["uid"])
                annotations = job["metadata"]["annotations"]
                self.jobs[annotations[names.RUN], int(annotations[names.ATTEMPT])] += 1
        pods = {pod["metadata"]["uid"]: pod for pod in self.objects.everywhere(PODS)}
        for uid, pod in pods.items():
            self.pods.setdefault(uid, SimulatedPod(self, pod)).tick(pod)
        for uid in self.pods.keys() - pods.keys():
            self.pods[uid].go_on_unseen()
            if not self.pods[uid].left:
                del self.pods[uid]

    def _fault(self) -> Faults:
        status = self.random.choice((0, 0, 429, 500, 503, 504))
        return Faults(
            status=status,
            times=self.random.randint(1, 4),
            retry_after_s=1 if status == 429 else None,
            takes_effect=status not in (429,) and self.random.random() < 0.5,
        )

    def _delete_by_hand(self) -> None:
        kind = self.random.choice((JOBS, PODS))
        found = self.objects.all(kind, NAMESPACE)
        if found:
            metadata = self.random.choice(found)["metadata"]
            name, annotations = metadata["name"], metadata["annotations"]
            self.by_hand.add((annotations[names.RUN], int(annotations[names.ATTEMPT])))
            policy = self.random.choice(("Foreground", "Background"))
            body = json.dumps({"propagationPolicy": policy}).encode()
            self.api._delete(Asking("DELETE", "", {}, body), kind, NAMESPACE, name)


class Replica(Node):
    """A pod of the server's: a daemon, and its disk."""

    world: ClusterWorld

    def look(self) -> None:
        if self.controller is None:
            return
        try:
            for cache in self.caches:
                with suppress(ApiError):
                    cache.step()
        except Crash:
            self.controller = None
            self.back_at = self.world.now + self.world.random.uniform(0, 5)
            return
        super().look()

    def _daemon(self) -> RunController:
        told = Told(
            opened=lambda run: None,
            begun=lambda run, attempt: self.world.begun.append((run.run, attempt)),
            attempted=lambda result: None,
            superseded=lambda run: None,
            gone=lambda result: None,
        )
        records = RunRecords(Files(self.world, self))  # type: ignore[arg-type]  # all that records need of a store
        recorded_runs, api = RecordedRuns(records, lambda: self.world.now), SimulatedApi(self)
        self.caches = [
            ObjectCache(api, path, names.SELECTOR, lambda: self.world.now) for path in (JOBS_PATH, PODS_PATH)
        ]
        runs = KubernetesRuns(
            api,
            *self.caches,
            NAMESPACE,
            lambda: PLACE,
            Caps(),
            BegunMarks(records),
            recorded_runs.record_attempt,
            lambda model, key, attempt: None,
            now=lambda: self.world.now,
        )
        now = lambda: self.world.now  # noqa: E731
        self.ended_runs = EndedRuns(recorded_runs, self._settle, now)
        return RunController(
            OpenRuns(self.home), recorded_runs, self.ended_runs, runs, _spec, self._live, told, at_once=1000, now=now
        )


class SimulatedApi:
    """An API server, as a daemon reaches it; it may be killed before each request, and after."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def call(self, method: str, path: str, query: Mapping[str, str] = {}, body: Object | None = None) -> Object:
        with self._replica.step():
            answer = self._asked(Asking(method, path, query, json.dumps(body).encode() if body else b""))
        assert isinstance(answer, dict)
        return answer

    def text(self, path: str, query: Mapping[str, str] = {}) -> str:
        with self._replica.step():
            return str(self._asked(Asking("GET", path, query)))

    def watch(self, path: str, query: Mapping[str, str], seconds: float) -> Iterator[Object]:
        """What there is by now, and the end: the next look watches on from there."""
        api, asking = self._replica.world.api, Asking("GET", path, {**query, "watch": "true"})
        with self._replica.step():
            try:
                version = api.admit(asking)
                events = [event for _, event in api.changes(asking, version)]
            except Problem as error:
                raise error_of(error.status, str(error)) from error
            except ConnectionError as error:
                raise ApiError("the API server can't be reached") from error
        return iter([*events, api.bookmark(asking)])

    def _asked(self, asking: Asking) -> Object | str:
        try:
            return self._replica.world.api.answer(asking)
        except Problem as error:
            raise error_of(error.status, str(error)) from error
        except ConnectionError as error:
            raise ApiError("the API server can't be reached") from error


@dataclass(eq=False)
class SimulatedPod:
    """A pod whose process goes on whatever the API server knows of it."""

    world: ClusterWorld
    first: Object
    left: list[tuple[str, float]] = field(default_factory=list)
    frozen_until: float = 0.0
    asked_at: float | None = None
    result: AttemptResult | None = None
    code: int = 0
    reason: str = ""
    status: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = [(step, self.world.now + after) for step, after in zip(STEPS, TIMES, strict=True)]
        environ = self.first["spec"]["initContainers"][0]["env"]
        spec = next(one["value"] for one in environ if one["name"] == "PAWL_SPEC")
        self.spec = msgspec.json.decode(spec, type=RunSpec)

    def tick(self, pod: Object) -> None:
        self._suffer()
        self._take(pod)
        self.go_on_unseen()
        if self.world.now >= self.frozen_until:
            self._tell(pod)

    def go_on_unseen(self) -> None:
        while not self.world.stuck and self.left and self.left[0][1] <= self.world.now and self._did(self.left[0][0]):
            self.left.pop(0)

    def _suffer(self) -> None:
        world = self.world
        if not self.left:
            return
        if world.happens(0.01):
            self._end("killed")
        elif world.happens(0.003):
            self._end("OOMKilled")
        elif world.happens(0.01):
            self._end("evicted")
        elif world.happens(0.02):
            self.frozen_until = world.now + world.random.uniform(0, 15)

    def _end(self, fate: str) -> None:
        self.left, self.code, self.reason = [], 137, "OOMKilled" if fate == "OOMKilled" else "Error"
        if fate == "evicted":
            self.status = {"reason": "Evicted", "message": "The node was low on resource: memory."}

    def _take(self, pod: Object) -> None:
        """What its kubelet was told: to end it."""
        told = pod["metadata"].get("deletionTimestamp")
        if told is None or self.world.now < self.frozen_until:
            return
        if self.asked_at is None:
            self.asked_at = self.world.now
            if self.left and self.left[0][0] in ("schedule", "fetch", "train", "artifact"):
                self.left, self.code = [], 1  # it leaves its checkpoint, and no record
        elif self.left and self.world.now > seconds(told):
            self.left, self.code = [], 137

    def _did(self, step: str) -> bool:
        if step == "train" and (fate := self.world.fates.get((self.spec.run, self.spec.attempt))):
            self._end(fate)
            return False
        artifact = f"{self.spec.run}-{self.spec.attempt}-{id(self)}"
        if step == "artifact":
            self.world.artifacts.add(artifact)
        if step == "record":
            self.result = self.result or AttemptResult(
                run=self.spec.run,
                attempt=self.spec.attempt,
                model=self.spec.model,
                state=RunState.SUCCEEDED,
                scores={"score": 0.5},
                artifact=artifact,
                ended_at=datetime.fromtimestamp(self.world.now, UTC),
            )
            records = RunRecords(Files(self.world, None))  # type: ignore[arg-type]
            try:
                name = attempt_record(self.spec.attempt)
                records.put_once(self.spec.model, self.spec.run, name, msgspec.json.encode(self.result))
            except StoreUnavailable:
                return False
        return True

    def _tell(self, pod: Object) -> None:
        metadata = pod["metadata"]
        if is_terminal(pod):
            if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
                self.world.objects.remove(PODS, NAMESPACE, metadata["name"])
            return
        status = self._status()
        if any(pod["status"].get(key) != value for key, value in status.items()):
            self.world.objects.change(PODS, NAMESPACE, metadata["name"], lambda one: one["status"].update(status))

    def _status(self) -> dict[str, Any]:
        if self.left and self.world.stuck:
            return self.world.stuck
        if not self.left:
            ended = {"exitCode": self.code, "reason": self.reason or ("Error" if self.code else "Completed")}
            said = {"name": "train", "state": {"terminated": ended}}
            return {"phase": "Failed" if self.code else "Succeeded", "containerStatuses": [said], **self.status}
        step = self.left[0][0]
        if step == "schedule":
            return {"phase": "Pending"}
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastTransitionTime": self.first["metadata"]["creationTimestamp"],
        }
        running = {"name": "train", "state": {"running": {}}}
        fetching = {"name": "fetch", "state": {"running": {}}}
        if step == "fetch":
            return {"phase": "Pending", "conditions": [scheduled], "initContainerStatuses": [fetching]}
        return {
            "phase": "Running",
            "conditions": [scheduled],
            "initContainerStatuses": [],
            "containerStatuses": [running],
        }
