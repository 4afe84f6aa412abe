"""Attempts as Jobs: begun, found again, stopped, and cleared away. All that is known of them, the cluster says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from core.runs.runs import AttemptResult, Failure, RunSpec
from core.runs.states import Reason, RunState
from trainer.attempt.progress import Reached
from trainer.executor import ExecutorUnavailable, NotBegun
from trainer.kubernetes import names
from trainer.kubernetes.api import Api, Object
from trainer.kubernetes.begun import BegunMarks
from trainer.kubernetes.caps import Caps
from trainer.kubernetes.errors import AlreadyExists, ApiError, Forbidden, ObjectNotFound, Refused, WebhookFailed
from trainer.kubernetes.forbidden_jobs import ForbiddenJobs
from trainer.kubernetes.job import JobPlace, job_of
from trainer.kubernetes.job_state import JobState, state_of
from trainer.kubernetes.object_cache import ObjectCache
from trainer.plan import Running

MOST_SPEC = 100_000
"""Bytes of what an attempt is told: a variable's bound is 128 KiB."""
_TAIL_LINES = "50"
_DELETE = {"propagationPolicy": "Foreground"}
"""The Job stays until its pod has ended, so that no other attempt begins beside it."""
_PENDING_S = 600.0
_GONE = Failure(
    None,
    "its Job is gone without a record: it was deleted by hand, or the time for which Kubernetes keeps it is over",
    heals=True,
    state=RunState.LOST,
)


class KubernetesRuns:
    """An `Executor`. Its caches are kept up to date by others."""

    def __init__(
        self,
        api: Api,
        jobs: ObjectCache,
        pods: ObjectCache,
        namespace: str,
        place: Callable[[], JobPlace],
        caps: Caps,
        marks: BegunMarks,
        record: Callable[[AttemptResult], None],
        reached: Callable[[str, str, int], Reached | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`place` raises ExecutorUnavailable. `record` writes an attempt's record, unless there is one; raises
        StoreUnavailable. `reached(model, key, attempt)`: what the attempt says in the store."""
        self._api = api
        self._jobs = jobs
        self._pods = pods
        self._namespace = namespace
        self._place = place
        self._caps = caps
        self._marks = marks
        self._record = record
        self._reached = reached
        self._now = now
        self._forbidden = ForbiddenJobs(now)

    def begin(self, spec: RunSpec) -> None:
        place = self._place()
        self._check(spec, place)
        self._forbidden.check(spec)
        job = job_of(spec, place)
        try:
            made = self._api.call("POST", self._path(), body=job)
        except AlreadyExists:
            made = self._adopted(job)
        except (Forbidden, WebhookFailed) as error:
            self._forbidden.note(spec, error)
            raise
        except Refused as error:
            raise NotBegun(Failure(Reason.BAD_CONTRACT, f"the cluster refuses the Job: {error}")) from error
        self._forbidden.forget(spec.run)
        self._jobs.put(made)
        self._marks.put(spec.model, spec.run, spec.attempt)

    def running(self) -> Mapping[str, Running]:
        found: dict[str, Running] = {}
        for job in self._all():
            attempt, state = _attempt(job), self._state(job)
            if not state.is_over and (_run(job) not in found or found[_run(job)].attempt < attempt):
                stopping = RunState.CANCELLED if state.is_ending else None
                found[_run(job)] = Running(attempt, stopping, state.failure)
        return found

    def begun(self, model: str, key: str) -> int:
        """By the Jobs that are known, and the marks in the store, while not all can be listed too."""
        seen = max((_attempt(job) for job in _ours(self._jobs) if _run(job) == key), default=0)
        if seen > self._marks.last(model, key):
            self._marks.put(model, key, seen)
        return max(seen, self._marks.last(model, key))

    def reached(self, key: str, attempt: int) -> Reached | None:
        job = self._job(key, attempt)
        if job is None:
            return None
        state = self._state(job)
        if not state.is_running:
            return Reached(state=RunState.PENDING, what=state.what)
        return self._reached(_model(job), key, attempt) or Reached(state=RunState.PENDING, what="starts")

    def stop(self, key: str, attempt: int, why: RunState) -> None:
        """What it is stopped for is written down first: its pod learns of it by a signal, which says nothing."""
        job = self._job(key, attempt)
        if job is None:
            return
        self._record(_stopped(job, why, self._now()))
        self._delete(job)

    def enforce(self) -> None:
        """Kubernetes ends pods that take longer than their grace."""

    def bury(self, model: str, key: str, attempt: int) -> Failure:
        job = self._job(key, attempt)
        if job is None:
            self._ask(names.job_name(model, key, attempt))
            return _GONE
        return replace(self._state(job).failure or _GONE, detail=self._printed(job))

    def remove(self, key: str) -> None:
        """Jobs that are over are left for people to look at, until their time is over."""
        for job in self._of(key):
            if not self._state(job).is_over and "deletionTimestamp" not in job["metadata"]:
                self._delete(job)
        self._marks.forget(key)
        self._forbidden.forget(key)

    def _check(self, spec: RunSpec, place: JobPlace) -> None:
        refusal = self._caps.refusal(spec.train, place.image)
        if refusal is None and (size := len(msgspec.json.encode(spec))) > MOST_SPEC:
            message = (
                f"train.params and train.model_params are too large for a Job: {size} bytes of {MOST_SPEC}; use a file"
            )
            refusal = Failure(Reason.BAD_CONTRACT, message)
        if refusal is not None:
            raise NotBegun(refusal)

    def _adopted(self, job: Object) -> Object:
        """The Job of that name that there is: ours, of a request whose answer was lost, or of another daemon."""
        name = job["metadata"]["name"]
        there = self._api.call("GET", self._path(name))
        ours, theirs = (one["metadata"].get("annotations", {}) for one in (job, there))
        if any(theirs.get(key) != ours[key] for key in (names.RUN, names.MODEL, names.ATTEMPT)):
            raise ExecutorUnavailable(f"there is a Job {name} already, which is not Pawl's; delete it")
        if "deletionTimestamp" in there["metadata"]:
            raise ExecutorUnavailable(f"the Job {name} is still ending")
        return there

    def _ask(self, name: str) -> None:
        """Another daemon may have made a Job that our watch has yet to tell of. Raises ExecutorUnavailable if so."""
        try:
            self._jobs.put(self._api.call("GET", self._path(name)))
        except ObjectNotFound:
            return
        raise ExecutorUnavailable(f"the Job {name} is there, and was not seen before")

    def _delete(self, job: Object) -> None:
        metadata = job["metadata"]
        options = {**_DELETE, "preconditions": {"uid": metadata["uid"]}}
        try:
            answer = self._api.call("DELETE", self._path(metadata["name"]), body=options)
        except (ObjectNotFound, AlreadyExists):  # it is gone, or another has its name
            self._jobs.drop(metadata["name"], metadata["uid"])
            return
        if answer.get("kind") == "Job":
            self._jobs.put(answer)

    def _printed(self, job: Object) -> str:
        """The end of what its pod printed, if that is still to be had."""
        pods = self._pods_of(job)
        if not pods:
            return ""
        name = max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])["metadata"]["name"]
        try:
            path = f"/api/v1/namespaces/{self._namespace}/pods/{name}/log"
            return self._api.text(path, {"container": "train", "tailLines": _TAIL_LINES})
        except ApiError:
            return ""

    def _state(self, job: Object) -> JobState:
        pending_s = float(job["metadata"]["annotations"].get(names.PENDING_S, _PENDING_S))
        now = min(self._now(), self._jobs.known_until, self._pods.known_until)
        return state_of(job, self._pods_of(job), pending_s, now)

    def _pods_of(self, job: Object) -> list[Object]:
        """Those that there are, or else the last."""
        uid = job["metadata"]["uid"]
        return [pod for pod in self._pods.all() if _owner(pod) == uid] or [
            pod for pod in self._pods.gone() if _owner(pod) == uid
        ][-1:]

    def _all(self) -> list[Object]:
        """Raises ExecutorUnavailable before they were ever listed: then nobody knows whether an attempt lives."""
        if missing := next((cache for cache in (self._jobs, self._pods) if not cache.is_filled), None):
            why = f": {missing.trouble}" if missing.trouble else ""
            raise ExecutorUnavailable(f"the Jobs of the cluster have not been listed yet{why}")
        return _ours(self._jobs)

    def _of(self, key: str) -> list[Object]:
        return [job for job in self._all() if _run(job) == key]

    def _job(self, key: str, attempt: int) -> Object | None:
        return next((job for job in self._of(key) if _attempt(job) == attempt), None)

    def _path(self, name: str = "") -> str:
        return f"/apis/batch/v1/namespaces/{self._namespace}/jobs{'/' if name else ''}{name}"


def _ours(jobs: ObjectCache) -> list[Object]:
    return [job for job in jobs.all() if names.ATTEMPT in job["metadata"].get("annotations", {})]


def _stopped(job: Object, why: RunState, now: float) -> AttemptResult:
    state = RunState.SUPERSEDED if why is RunState.SUPERSEDED else RunState.CANCELLED
    return AttemptResult(
        run=_run(job),
        attempt=_attempt(job),
        model=_model(job),
        commit=job["metadata"]["annotations"].get(names.COMMIT, ""),
        state=state,
        message=f"the run was stopped: it is {why}",
        ended_at=datetime.fromtimestamp(now, UTC),
    )


def _owner(pod: Object) -> str:
    return next((str(owner["uid"]) for owner in pod["metadata"].get("ownerReferences", ())), "")


def _run(job: Object) -> str:
    return str(job["metadata"]["annotations"][names.RUN])


def _model(job: Object) -> str:
    return str(job["metadata"]["annotations"][names.MODEL])


def _attempt(job: Object) -> int:
    return int(job["metadata"]["annotations"][names.ATTEMPT])
