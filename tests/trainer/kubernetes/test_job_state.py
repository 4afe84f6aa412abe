"""What a Job and its pods say of an attempt: each reason that docs/training.md has, and each deadline."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.runs.states import Reason, RunState
from trainer.kubernetes.job_state import GONE_S, MADE_S, PULL_S, JobState, state_of

BEGAN = 1_700_000_000.0
PENDING_S = 600.0

Object = dict[str, Any]


def at(seconds: float) -> str:
    return datetime.fromtimestamp(BEGAN + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def turned(is_suspended: bool, seconds: float) -> Object:
    """What is told of a Job since its queue held it back or let it go on."""
    return {"type": "Suspended", "status": str(is_suspended), "lastTransitionTime": at(seconds)}


def job(*conditions: Object, ending: bool = False, suspend: bool = False) -> Object:
    metadata: Object = {"name": "pawl-churn", "creationTimestamp": at(0)}
    if ending:
        metadata["deletionTimestamp"] = at(10)
    return {"metadata": metadata, "spec": {"suspend": suspend}, "status": {"conditions": list(conditions)}}


def pod(phase: str = "Pending", *, fetch: Object | None = None, train: Object | None = None, **status: Any) -> Object:
    """`fetch` and `train`: the states of its two containers."""
    metadata = {"name": "pawl-churn-x", "creationTimestamp": at(1), **status.pop("metadata", {})}
    said: Object = {"phase": phase, **status}
    if fetch is not None:
        said["initContainerStatuses"] = [{"name": "fetch", "state": fetch}]
    if train is not None:
        said["containerStatuses"] = [{"name": "train", "state": train}]
    return {"metadata": metadata, "spec": {}, "status": said}


FAILED = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "has reached the limit"}
LATE = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "was active longer"}
COMPLETE = {"type": "Complete", "status": "True"}
SCHEDULED = {"type": "PodScheduled", "status": "True", "lastTransitionTime": at(5)}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
RUNNING = {"running": {"startedAt": at(9)}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}


def ended(code: int, reason: str = "Error", **more: object) -> Object:
    return {"terminated": {"exitCode": code, "reason": reason, **more}}


def waiting(reason: str, message: str = "it said") -> Object:
    return {"waiting": {"reason": reason, "message": message}}


def look(job: Object, *pods: Object, after: float = 20) -> JobState:
    return state_of(job, pods, PENDING_S, BEGAN + after)


@pytest.mark.parametrize(
    ("pods", "what"),
    [
        ([], "waits for a pod"),
        ([pod(conditions=[UNSCHEDULED])], "waits for a node: 0/3 nodes are available"),
        ([pod(conditions=[SCHEDULED])], "waits for its pod to start"),
        ([pod(conditions=[SCHEDULED], fetch=waiting("ImagePullBackOff"))], "ImagePullBackOff: it said"),
        ([pod(conditions=[SCHEDULED], fetch=waiting("CreateContainerConfigError"))], "CreateContainerConfigError"),
        ([pod(conditions=[SCHEDULED], fetch=RUNNING, train=waiting("PodInitializing", ""))], "fetches the code"),
        ([pod("Failed", fetch=ended(1))], "ending"),
    ],
)
def test_an_attempt_that_has_yet_to_begin_says_what_it_waits_for(pods: list[Object], what: str) -> None:
    found = look(job(), *pods)
    assert (found.is_over, found.is_running, found.failure) == (False, False, None)
    assert found.what.startswith(what)


def test_one_whose_code_runs_runs() -> None:
    assert look(job(), pod("Running", conditions=[SCHEDULED], fetch=DONE, train=RUNNING)).is_running


def test_one_that_waits_in_a_queue_says_so() -> None:
    assert look(job(suspend=True)).what == "waits in its queue"
    failure = look(job(suspend=True), after=PENDING_S + 1).failure
    assert failure is not None
    assert (failure.reason, failure.heals) == (Reason.UNSCHEDULABLE, False)
    assert "its queue did not admit it" in failure.message


def test_one_whose_place_a_queue_took_away_waits_anew() -> None:
    """As Kueue preempts: the Job is suspended, and its pod ended."""
    pods = [pod("Failed", metadata={"deletionTimestamp": at(7000)})]
    preempted = job(turned(True, 7000), suspend=True)
    waits = look(preempted, *pods, after=7000 + PENDING_S)
    assert (waits.is_over, waits.failure, waits.what) == (False, None, "waits in its queue")
    late = look(preempted, *pods, after=7001 + PENDING_S).failure
    assert late is not None
    assert late.reason is Reason.UNSCHEDULABLE


def test_one_whose_place_a_queue_takes_away_has_not_ended_by_itself() -> None:
    """While containers stop, the pod's phase is as it was."""
    going = pod(
        "Running", conditions=[SCHEDULED], metadata={"deletionTimestamp": at(7000)}, fetch=DONE, train=ended(143)
    )
    preempted = look(job(turned(True, 7000), suspend=True), going, after=7001)
    assert (preempted.is_over, preempted.failure) == (False, None)


def test_one_that_its_queue_let_go_on_waits_for_a_node_from_then_on() -> None:
    admitted = job(turned(False, 7000))
    assert look(admitted, after=7010).failure is None
    assert look(admitted, pod(conditions=[UNSCHEDULED]), after=7000 + PENDING_S).failure is None
    assert look(admitted, pod(conditions=[UNSCHEDULED]), after=7001 + PENDING_S).failure is not None


def test_how_the_container_of_a_service_mesh_ended_is_not_the_runs_end() -> None:
    mesh = {"name": "mesh-proxy", "state": ended(137, "OOMKilled")}
    one = pod("Failed", fetch=DONE, train=ended(137))
    one["status"]["containerStatuses"].insert(0, mesh)
    failure = look(job(FAILED), one).failure
    assert failure is not None
    assert (failure.reason, failure.state) == (None, RunState.LOST)


def test_what_ended_while_a_service_mesh_goes_on_has_ended() -> None:
    one = pod("Running", conditions=[SCHEDULED], fetch=DONE, train=ended(137, "OOMKilled"))
    one["status"]["containerStatuses"].append({"name": "mesh-proxy", "state": RUNNING})
    found = look(job(), one)
    assert (found.is_over, found.is_running) == (False, False), "it holds its place until it is stopped"
    assert found.failure is not None
    assert found.failure.reason is Reason.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("pods", "deadline", "reason", "heals", "message"),
    [
        ([], PENDING_S, Reason.UNSCHEDULABLE, False, "no pod was made for its Job (a quota"),
        (
            [pod(conditions=[UNSCHEDULED])],
            PENDING_S,
            Reason.UNSCHEDULABLE,
            False,
            "are available; ask for less",
        ),
        (
            [pod(conditions=[SCHEDULED])],
            5 + PENDING_S,
            Reason.UNSCHEDULABLE,
            False,
            "on its node (a large image",
        ),
        *(
            (
                [pod(conditions=[SCHEDULED], fetch=waiting(said))],
                5 + PULL_S,
                Reason.IMAGE_PULL,
                True,
                f"{said}: it said; see",
            )
            for said in ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed")
        ),
        *(
            ([pod(conditions=[SCHEDULED], fetch=waiting(said))], 5 + MADE_S, Reason.ENVIRONMENT, True, f"{said}: it")
            for said in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
        ),
    ],
)
def test_each_wait_has_a_deadline_and_not_before(
    pods: list[Object], deadline: float, reason: Reason, heals: bool, message: str
) -> None:
    assert look(job(), *pods, after=deadline).failure is None
    failure = look(job(), *pods, after=deadline + 1).failure
    assert failure is not None
    assert (failure.reason, failure.heals, failure.state) == (reason, heals, RunState.FAILED)
    assert message in failure.message


@pytest.mark.parametrize("said", ["InvalidImageName", "ErrImageNeverPull"])
def test_an_image_that_can_never_be_had_is_told_at_once(said: str) -> None:
    failure = look(job(), pod(conditions=[SCHEDULED], fetch=waiting(said)), after=6).failure
    assert failure is not None
    assert failure.reason is Reason.IMAGE_PULL


EVICTED = {"reason": "Evicted", "message": "The node was low on resource: memory."}
DRAINED = {"type": "DisruptionTarget", "status": "True", "message": "Eviction API: evicting"}


@pytest.mark.parametrize(
    ("conditions", "pods", "reason", "state", "message"),
    [
        ([LATE], [], Reason.TIMEOUT, RunState.FAILED, "was not over by its deadline"),
        ([FAILED], [pod("Failed", **EVICTED)], Reason.EVICTED, RunState.LOST, "low on resource: memory; where that"),
        ([FAILED], [pod("Failed", conditions=[DRAINED])], Reason.EVICTED, RunState.LOST, "Eviction API"),
        (
            [FAILED],
            [pod("Failed", reason="NodeShutdown", message="bye")],
            Reason.EVICTED,
            RunState.LOST,
            "went away: b",
        ),
        (
            [FAILED],
            [pod("Failed", fetch=DONE, train=ended(137, "OOMKilled"))],
            Reason.OUT_OF_MEMORY,
            RunState.FAILED,
            "train.resources.memory",
        ),
        (
            [FAILED],
            [pod("Failed", fetch=ended(137, "OOMKilled"))],
            Reason.OUT_OF_MEMORY,
            RunState.FAILED,
            "history is too large",
        ),
        (
            [FAILED],
            [pod("Failed", fetch=ended(1, message="one\nthe login is wrong"))],
            Reason.ENVIRONMENT,
            RunState.FAILED,
            "the code can't be fetched: the login is wrong",
        ),
        (
            [FAILED],
            [pod("Failed", fetch=DONE, train=ended(128, "StartError", message="no such file"))],
            Reason.ENVIRONMENT,
            RunState.LOST,
            "could not run: no such file; the image (train.image, TRAIN_IMAGE) must hold",
        ),
        (
            [FAILED],
            [pod("Failed", fetch=ended(1, message="/usr/bin/python: No module named trainer"))],
            Reason.ENVIRONMENT,
            RunState.FAILED,
            "No module named trainer; the image (train.image, TRAIN_IMAGE) must hold",
        ),
        (
            [FAILED],
            [pod("Failed", fetch=DONE, train=ended(137, "ContainerStatusUnknown"))],
            Reason.EVICTED,
            RunState.LOST,
            "its node can't tell how its container ended",
        ),
        ([FAILED], [pod("Failed", fetch=DONE, train=ended(137))], None, RunState.LOST, "ended with code 137"),
        ([FAILED], [pod("Failed", fetch=DONE, train=ended(3))], None, RunState.LOST, "had one already"),
        (
            [FAILED],
            [pod("Failed", reason="OutOfcpu", message="Pod was rejected: Node didn't have enough resource: cpu")],
            None,
            RunState.LOST,
            "its pod has ended (OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu)",
        ),
        ([FAILED], [], None, RunState.LOST, "its pod is gone (has reached the limit)"),
        ([COMPLETE], [], None, RunState.LOST, "complete, and its record is not in the store"),
        ([COMPLETE], [pod("Succeeded", fetch=DONE, train=DONE)], None, RunState.LOST, "its record is not in the store"),
    ],
)
def test_what_ended_without_a_record_says_why(
    conditions: list[Object], pods: list[Object], reason: Reason | None, state: RunState, message: str
) -> None:
    found = look(job(*conditions), *pods)
    assert found.is_over
    assert found.failure is not None
    assert (found.failure.reason, found.failure.state) == (reason, state)
    assert message in found.failure.message
    unhealing = (Reason.TIMEOUT, Reason.OUT_OF_MEMORY)
    assert found.failure.heals is (reason not in unhealing)


def test_a_job_that_was_deleted_ends_with_its_pod() -> None:
    running = pod("Running", conditions=[SCHEDULED], fetch=DONE, train=RUNNING)
    found = look(job(ending=True), running)
    assert (found.is_over, found.is_ending) == (False, True)


def test_a_pod_whose_end_nobody_confirms_is_on_a_node_that_is_gone() -> None:
    running = pod("Running", train=RUNNING, metadata={"deletionTimestamp": at(100)})
    assert not look(job(), running, after=100 + GONE_S).is_over
    found = look(job(), running, after=101 + GONE_S)
    assert found.is_over
    assert found.failure is not None
    assert (found.failure.reason, found.failure.heals) == (Reason.EVICTED, True)


def test_of_two_pods_the_newer_counts() -> None:
    older = pod("Failed", **EVICTED)
    newer = pod("Running", conditions=[SCHEDULED], train=RUNNING, metadata={"creationTimestamp": at(8)})
    assert look(job(), older, newer).is_running
