"""What a Job and its pods say of an attempt. Pure.

Each reason for which a pod waits has a deadline: at first it may be gone by itself a second later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.runs.runs import Failure
from core.runs.states import Reason, RunState
from trainer.kubernetes.api import Object

NEVER_PULLED = frozenset({"InvalidImageName", "ErrImageNeverPull"})
PULLING = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed"}
)
NOT_MADE = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError"})
PULL_S = 180.0
MADE_S = 60.0
GONE_S = 60.0
"""After its grace, a pod whose end nobody confirms is taken to be on a node that is gone."""
GIVEN_UP = 3
"""Exit code of `trainer.run` for an attempt that had its process already."""
_SIGNALLED = 128


@dataclass(frozen=True)
class JobState:
    is_over: bool
    """Whether nothing of it lives, as far as can be known."""
    is_ending: bool = False
    """Whether it was deleted, and its pod has yet to end."""
    failure: Failure | None = None
    """Why it comes to nothing; of one that is over, why it has left no record."""
    is_running: bool = False
    what: str = ""
    """What it waits for, or does."""


def state_of(job: Object, pods: Sequence[Object], pending_s: float, now: float) -> JobState:
    """`pending_s`: the longest wait for a place to run."""
    is_ending = "deletionTimestamp" in job["metadata"]
    pod = _newest(pods)
    if finished := _finished(job):
        return JobState(True, failure=_after(finished, pod))
    if _is_suspended(job) and pod is not None and _phase(pod) in ("Failed", "Succeeded"):
        pod = None  # a queue took its place away: it gets another pod once it is admitted again
    if pod is not None and _is_on_a_lost_node(pod, now):
        return JobState(True, failure=_lost(f"the node of its pod is gone; {_MORE_RETRIES}", Reason.EVICTED))
    if is_ending:
        return JobState(False, is_ending=True, what="ending")
    if pod is None:
        return _without_a_pod(job, pending_s, now)
    if _phase(pod) in ("Failed", "Succeeded"):  # and the Job's controller has yet to notice
        return JobState(False, what="ending")
    if _has_ended(pod, "train") and not _is_suspended(job):  # and the container of a service mesh goes on
        return JobState(False, failure=pod_failure(pod), what="ending")
    return _waiting(job, pod, pending_s, now) or JobState(False, is_running=True)


def pod_failure(pod: Object) -> Failure:
    """Why a pod that has ended left no record."""
    disruption = _condition(pod, "DisruptionTarget")
    status = pod["status"]
    if status.get("reason") == "Evicted" or disruption is not None:
        said = status.get("message") or (disruption or {}).get("message") or status.get("reason", "")
        return _lost(f"its pod was evicted: {said.rstrip('. ')}; {_MORE_RETRIES}", Reason.EVICTED)
    if status.get("reason") in ("NodeLost", "NodeShutdown", "Terminated", "Shutdown"):
        said = status.get("message", status["reason"])
        return _lost(f"its node went away: {said}; {_MORE_RETRIES}", Reason.EVICTED)
    ended = [(container, one) for container, one in _terminated(pod) if one.get("exitCode", 0) or one.get("signal")]
    for container, one in ended:
        if one.get("reason") == "OOMKilled":
            return Failure(Reason.OUT_OF_MEMORY, _OUT_OF_MEMORY[container])
    for container, one in ended:
        return _exited(container, one)
    said = ": ".join(filter(None, (status.get("reason") or _phase(pod), status.get("message"))))
    return _lost(f"its pod has ended ({said}), and its record is not in the store")


def _is_suspended(job: Object) -> bool:
    return bool(job["spec"].get("suspend", False))


def _waits_since(job: Object) -> float:
    """Since it was made, or since its queue last let it go on, or took its place away."""
    turned = [one for one in job.get("status", {}).get("conditions") or () if one["type"] == "Suspended"]
    times = [job["metadata"]["creationTimestamp"], *(one.get("lastTransitionTime") for one in turned)]
    return max(_seconds(time) for time in times if time)


_MORE_RETRIES = "where that happens often, raise train.retries: each goes on from the checkpoint"
_NO_PAWL = "No module named"
_MUST_HOLD_PAWL = (
    "the image (train.image, TRAIN_IMAGE) must hold the server's Pawl in /pawl, and its Python as `python`"
)
_OUT_OF_MEMORY = {
    "fetch": "the container that fetches the code was out of memory: the repository's history is too large for it",
    "train": "the run took more memory than train.resources.memory gives it, with all that Pawl itself needs there; "
    "raise that, or have the code hold less at a time",
}


def _exited(container: str, ended: Object) -> Failure:
    code, said = ended.get("exitCode", 0), (ended.get("message") or "").strip()
    if container == "fetch" and not ended.get("signal") and code < _SIGNALLED:
        last = said.splitlines()[-1] if said else f"exit code {code}"
        hint = f"; {_MUST_HOLD_PAWL}" if _NO_PAWL in last else ""
        return Failure(Reason.ENVIRONMENT, f"the code can't be fetched: {last}{hint}", said, heals=True)
    if ended.get("reason") in ("ContainerCannotRun", "StartError"):
        return _lost(f"its container could not run: {said or ended['reason']}; {_MUST_HOLD_PAWL}", Reason.ENVIRONMENT)
    if ended.get("reason") == "ContainerStatusUnknown":
        return _lost("its node can't tell how its container ended: it was restarted, or is gone", Reason.EVICTED)
    if code == GIVEN_UP:
        return _lost("its process found that the attempt had one already")
    return _lost(
        f"its process ended with code {code} before its record was in the store; the end of what it printed says why"
    )


def _finished(job: Object) -> Object | None:
    return _condition(job, "Complete") or _condition(job, "Failed")


def _after(condition: Object, pod: Object | None) -> Failure:
    if condition.get("reason") == "DeadlineExceeded":
        message = "the Job was not over by its deadline, which allows for all waits besides train.timeout_s"
        return Failure(Reason.TIMEOUT, f"{message}; see to the cluster, or raise train.timeout_s")
    if pod is not None and (_phase(pod) in ("Failed", "Succeeded") or list(_terminated(pod))):
        return pod_failure(pod)
    if condition["type"] == "Complete":
        return _lost("its Job is complete, and its record is not in the store")
    return _lost(f"its pod is gone ({condition.get('message') or condition.get('reason', 'the Job failed')})")


def _without_a_pod(job: Object, pending_s: float, now: float) -> JobState:
    is_suspended = _is_suspended(job)
    what = "waits in its queue" if is_suspended else "waits for a pod"
    if now <= _waits_since(job) + pending_s:
        return JobState(False, what=what)
    why = (
        "its queue did not admit it; see to the LocalQueue that train.queue names"
        if is_suspended
        else "no pod was made for its Job (a quota, an admission rule); `kubectl describe job` says why"
    )
    return JobState(False, failure=Failure(Reason.UNSCHEDULABLE, _waited(why, pending_s)), what=what)


def _waiting(job: Object, pod: Object, pending_s: float, now: float) -> JobState | None:
    """None: its code is being fetched, or runs."""
    scheduled = _condition(pod, "PodScheduled")
    if scheduled is None:
        said = (_condition(pod, "PodScheduled", "False") or {}).get("message", "no node has room for it")
        failure = Failure(Reason.UNSCHEDULABLE, _waited(f"no node takes its pod: {said}; {_ASK_FOR_LESS}", pending_s))
        is_late = now > _waits_since(job) + pending_s
        return JobState(False, failure=failure if is_late else None, what=f"waits for a node: {said}")
    since = _seconds(scheduled.get("lastTransitionTime") or job["metadata"]["creationTimestamp"])
    for container, reason, said in _waits(pod):
        what = f"{reason}: {said}" if said else reason
        if reason in NEVER_PULLED or (reason in PULLING and now > since + min(PULL_S, pending_s)):
            failure = Failure(
                Reason.IMAGE_PULL, f"the image of its pod can't be pulled: {what}; {_SEE_IMAGE}", heals=True
            )
            return JobState(False, failure=failure, what=what)
        if reason in NOT_MADE and now > since + MADE_S:
            failure = Failure(Reason.ENVIRONMENT, f"the container {container} can't be made: {what}", heals=True)
            return JobState(False, failure=failure, what=what)
        if reason in PULLING or reason in NOT_MADE:
            return JobState(False, what=what)
    if _has_begun(pod):
        return None if _is_running(pod, "train") else JobState(False, what="fetches the code")
    failure = Failure(Reason.UNSCHEDULABLE, _waited(f"its pod did not start on its node {_NOT_STARTED}", pending_s))
    return JobState(False, failure=failure if now > since + pending_s else None, what="waits for its pod to start")


_ASK_FOR_LESS = "ask for less in train.resources, raise train.pending_s, or add nodes"
_SEE_IMAGE = "see to the name (train.image, TRAIN_IMAGE) and to the login for its registry (TRAIN_PULL_SECRET)"
_NOT_STARTED = "(a large image, a volume, the network); `kubectl describe pod` says why"


def _waited(why: str, pending_s: float) -> str:
    return f"after {pending_s:g} s (train.pending_s), {why}"


def _lost(message: str, reason: Reason | None = None) -> Failure:
    return Failure(reason, message, heals=True, state=RunState.LOST)


def _newest(pods: Sequence[Object]) -> Object | None:
    return max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)


def _is_on_a_lost_node(pod: Object, now: float) -> bool:
    """The API server puts the end of the grace into `deletionTimestamp`."""
    told = pod["metadata"].get("deletionTimestamp")
    return told is not None and _phase(pod) in ("Pending", "Running", "Unknown") and now > _seconds(told) + GONE_S


def _statuses(pod: Object) -> Iterator[Object]:
    yield from pod["status"].get("initContainerStatuses", ())
    yield from pod["status"].get("containerStatuses", ())


def _waits(pod: Object) -> Iterator[tuple[str, str, str]]:
    for status in _statuses(pod):
        waiting = status.get("state", {}).get("waiting")
        if waiting:
            yield status["name"], waiting.get("reason", ""), waiting.get("message", "")


def _terminated(pod: Object) -> Iterator[tuple[str, Object]]:
    """Of our own containers: a service mesh adds others."""
    for status in _statuses(pod):
        if status["name"] in _OUT_OF_MEMORY and (ended := status.get("state", {}).get("terminated")):
            yield status["name"], ended


def _has_begun(pod: Object) -> bool:
    return any(not status.get("state", {}).get("waiting") for status in _statuses(pod))


def _is_running(pod: Object, container: str) -> bool:
    return any(status["name"] == container and not status.get("state", {}).get("waiting") for status in _statuses(pod))


def _has_ended(pod: Object, container: str) -> bool:
    return any(name == container for name, _ in _terminated(pod))


def _phase(pod: Object) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def _condition(object: Object, kind: str, status: str = "True") -> Object | None:
    conditions = object.get("status", {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == kind and one["status"] == status), None)


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
