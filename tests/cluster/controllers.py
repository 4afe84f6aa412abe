"""What Kubernetes' own controllers make of Jobs: pods, ends, deadlines, and the removal of what is over."""

from __future__ import annotations

from datetime import datetime

from tests.cluster.api import FOREGROUND, ApiDouble
from tests.cluster.objects import JOBS, PODS, Object, Objects, Problem

_TRACKED = "batch.kubernetes.io/job-tracking"


def step(api: ApiDouble, now: float) -> None:
    """All that is due by `now`."""
    objects = api.objects
    with objects.lock:
        pods = objects.everywhere(PODS)
        for job in objects.everywhere(JOBS):
            mine = [pod for pod in pods if _owner(pod) == job["metadata"]["uid"]]
            _account(objects, mine)
            if "deletionTimestamp" in job["metadata"]:
                _collect(api, job, mine)
            elif not _ended(job):
                _control(api, job, mine, now)
            elif _is_past_its_time(job, now):
                objects.remove(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])
        _collect_orphans(api)


def is_terminal(pod: Object) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def _control(api: ApiDouble, job: Object, pods: list[Object], now: float) -> None:
    objects, metadata, spec = api.objects, job["metadata"], job["spec"]
    if spec.get("suspend"):
        return
    status = job.get("status", {})
    if "startTime" not in status:
        objects.create(PODS, metadata["namespace"], _pod(job, objects.time()))
        _say(objects, job, startTime=objects.time(), active=1)
        return
    if now > seconds(status["startTime"]) + spec.get("activeDeadlineSeconds", float("inf")):
        for pod in pods:
            _end(api, pod)
        if all(is_terminal(pod) for pod in pods):
            _fail(objects, job, "DeadlineExceeded", "Job was active longer than specified deadline")
        return
    if not pods:
        _fail(objects, job, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    elif pods[0]["status"].get("phase") == "Succeeded":
        condition = {
            "type": "Complete",
            "status": "True",
            "reason": "CompletionsReached",
            "lastTransitionTime": objects.time(),
        }
        _say(objects, job, active=0, succeeded=1, completionTime=objects.time(), conditions=[condition])
    elif pods[0]["status"].get("phase") == "Failed":
        _fail(objects, job, "BackoffLimitExceeded", "Job has reached the specified backoff limit")


def _pod(job: Object, started: str) -> Object:
    template = job["spec"]["template"]
    metadata = template.get("metadata", {})
    name = job["metadata"]["name"]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": name,
        "uid": job["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    labels = {"batch.kubernetes.io/job-name": name, "batch.kubernetes.io/controller-uid": job["metadata"]["uid"]}
    return {
        "metadata": {
            "name": f"{name}-{job['metadata']['uid'][:5]}",
            "labels": {**metadata.get("labels", {}), **labels},
            "annotations": metadata.get("annotations", {}),
            "ownerReferences": [owner],
            "finalizers": [_TRACKED],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending", "startTime": started},
    }


def _account(objects: Objects, pods: list[Object]) -> None:
    """Pods that have ended are counted, and may be removed from then on."""
    for pod in pods:
        if is_terminal(pod) and pod["metadata"].get("finalizers"):
            metadata = pod["metadata"]
            objects.change(
                PODS, metadata["namespace"], metadata["name"], lambda one: one["metadata"].pop("finalizers", None)
            )


def _collect(api: ApiDouble, job: Object, pods: list[Object]) -> None:
    """Dependents first, then their owner."""
    for pod in pods:
        _end(api, pod)
    if not pods and FOREGROUND in job["metadata"].get("finalizers", ()):
        api.objects.remove(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])


def _collect_orphans(api: ApiDouble) -> None:
    owners = {job["metadata"]["uid"] for job in api.objects.everywhere(JOBS)}
    for pod in api.objects.everywhere(PODS):
        owner, metadata = _owner(pod), pod["metadata"]
        if owner and owner not in owners:
            if metadata.get("finalizers"):  # its Job is gone: nobody counts it any more
                api.objects.change(
                    PODS, metadata["namespace"], metadata["name"], lambda one: one["metadata"].pop("finalizers", None)
                )
            _end(api, pod)


def _end(api: ApiDouble, pod: Object) -> None:
    metadata = pod["metadata"]
    try:
        if "deletionTimestamp" not in metadata:
            api.end_pod(metadata["namespace"], metadata["name"], pod["spec"].get("terminationGracePeriodSeconds", 30))
    except Problem:
        pass


def _fail(objects: Objects, job: Object, reason: str, message: str) -> None:
    condition = {"status": "True", "reason": reason, "message": message, "lastTransitionTime": objects.time()}
    conditions = [{"type": "FailureTarget", **condition}, {"type": "Failed", **condition}]
    _say(objects, job, active=0, failed=1, conditions=conditions)


def _say(objects: Objects, job: Object, **status: object) -> None:
    def say(one: Object) -> None:
        one.setdefault("status", {}).update(status)

    objects.change(JOBS, job["metadata"]["namespace"], job["metadata"]["name"], say)


def _ended(job: Object) -> Object | None:
    conditions = job.get("status", {}).get("conditions", ())
    return next((one for one in conditions if one["type"] in ("Complete", "Failed") and one["status"] == "True"), None)


def _is_past_its_time(job: Object, now: float) -> bool:
    ended, ttl = _ended(job), job["spec"].get("ttlSecondsAfterFinished")
    return ended is not None and ttl is not None and now > seconds(ended["lastTransitionTime"]) + ttl


def _owner(pod: Object) -> str:
    return next((str(owner["uid"]) for owner in pod["metadata"].get("ownerReferences", ())), "")
