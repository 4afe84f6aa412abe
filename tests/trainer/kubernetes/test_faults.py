from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.errors import StoreUnavailable
from core.manifest.train import Train
from core.runs.runs import AttemptResult, RunResult
from core.runs.states import Reason, RunState
from loader.artifacts.slugs import slug
from tests.cluster.api import Faults
from tests.cluster.objects import JOBS, PODS
from tests.cluster.simulation import NAMESPACE, ClusterWorld, Replica
from tests.trainer.simulation import TICK_S, WORK_S
from tests.trainer.test_faults import is_attempt
from trainer.open_states import OpenState
from trainer.records.open_runs import RunFile
from trainer.records.record_names import attempt_record
from trainer.records.recorded_runs import RecordedRuns

SCHEDULES = int(os.environ.get("TRAINER_SCHEDULES", "50"))
CATCH_UP_S = 5.0
"""After recovery, besides the work itself."""
PAUSE_S = 5.0
"""The longest before another attempt."""


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_whatever_fails_each_wanted_run_has_one_result(seed: int, tmp_path: Path) -> None:
    world = ClusterWorld(seed, tmp_path)
    world.run()
    catch_up(world)
    for run in world.wanted():
        result = world.result_of(run.run)
        assert result is not None
        if result.reason is Reason.OUT_OF_MEMORY:
            continue
        assert result.state in (RunState.SUCCEEDED, RunState.REJECTED)
        assert result.artifact in world.artifacts, "an artifact is stored before the record that names it"
        record = world.store[f"runs/{slug(run.model)}/{run.run}/{attempt_record(result.attempts)}"]
        assert msgspec.json.decode(record, type=AttemptResult).artifact == result.artifact
    for key, told in world.settled.items():
        assert all(one == world.result_of(key) for one in told), "everyone is told the same"
    twice = {attempt for attempt, count in world.jobs.items() if count > 1}
    assert twice <= world.by_hand, "an attempt has one Job"
    assert {one for one, result in attempts(world).items() if "Job is gone" in result.message} <= world.by_hand


def attempts(world: ClusterWorld) -> dict[tuple[str, int], AttemptResult]:
    records = [content for name, content in world.store.items() if is_attempt(name)]
    results = [msgspec.json.decode(content, type=AttemptResult) for content in records]
    return {(result.run, result.attempt): result for result in results}


def catch_up(world: ClusterWorld) -> None:
    """Within five seconds of recovery all that has become of attempts is known, and each wanted run goes on; it is over
    five seconds after its work, and the pause that may be before it."""
    while not world.has_recovered:
        world.tick()
    world.api.faults.clear()
    until(world, world.is_under_way, CATCH_UP_S)
    until(world, world.is_caught_up, PAUSE_S + WORK_S + CATCH_UP_S)
    for _ in range(int(CATCH_UP_S / TICK_S)):
        world.tick()


def until(world: ClusterWorld, holds: Callable[[], bool], seconds: float) -> None:
    end = world.now + seconds
    while not holds():
        assert world.now < end, f"not so {seconds} s later: {holds.__name__}"
        world.tick()


class Calm(ClusterWorld):
    """One daemon, so many models, and nothing that goes wrong but what a test says."""

    def __init__(self, home: Path, models: int = 1, **train: object) -> None:
        super().__init__(0, home)
        self.trouble_ends = self.now
        self.is_leased = False
        self.nodes = self.nodes[:1]
        self.is_wanted = True
        self.runs = [
            RunFile(
                run=f"{number:012x}",
                model=f"Model{number}",
                commit=f"{number:040x}",
                code_key=f"{number:012x}",
                train=msgspec.convert({"retries": 2, **train}, Train),
                queued_at=self.now,
            )
            for number in range(models)
        ]

    def wanted(self) -> list[RunFile]:
        return self.runs if self.is_wanted else []

    def pass_by(self, seconds: float, step: float = TICK_S) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += step - TICK_S
            self.tick()

    def until(self, holds: Callable[[], object], seconds: float = 30) -> None:
        end = self.now + seconds
        while not holds():
            assert self.now < end, self.objects.all(JOBS, NAMESPACE)
            self.tick()

    def ends(self) -> list[tuple[RunState, Reason | None, int]]:
        found = [self.result_of(run.run) for run in self.runs]
        return [(one.state, one.reason, one.attempts) for one in found if one is not None]

    def end(self, seconds: float = 30) -> RunResult:
        """What becomes of the one run."""
        self.until(self.ends, seconds)
        result = self.result_of(self.runs[0].run)
        assert result is not None
        return result


FATES = ("", "", "OOMKilled", "evicted", "killed")


@pytest.mark.parametrize("hours", [1, 7])
def test_an_outage_of_the_api_server_loses_no_outcome(hours: int, tmp_path: Path) -> None:
    """Seven hours, and Kubernetes has removed the Jobs by itself: the store knows how those ended that could say so."""
    world = Calm(tmp_path, models=50)
    world.fates = {(run.run, 1): fate for run, fate in zip(world.runs, FATES * 10, strict=True) if fate}
    world.until(lambda: len(world.objects.all(PODS, NAMESPACE)) == 50)
    world.away_until = world.now + hours * 3600
    world.pass_by(hours * 3600, step=hours * 60)
    back = world.now
    world.until(lambda: len(world.ends()) == 50, seconds=10)
    killed = (RunState.SUCCEEDED, None, 2)
    out_of_memory = (RunState.FAILED, Reason.OUT_OF_MEMORY, 1) if hours == 1 else killed
    assert (
        world.ends()
        == [(RunState.SUCCEEDED, None, 1), (RunState.SUCCEEDED, None, 1), out_of_memory, killed, killed] * 10
    )
    assert all(count == 1 for count in world.jobs.values())
    assert world.now - back <= 10


def test_a_hundred_jobs_in_which_nothing_happens_cost_no_writes_and_hardly_a_request(tmp_path: Path) -> None:
    world = Calm(tmp_path, models=100)
    world.until(lambda: len(world.jobs) == 100)
    for pod in world.pods.values():
        pod.left = [("train", float("inf"))]
    world.pass_by(5)
    written, asked, looks = world.objects.written, len(world.api.requests), 60
    world.pass_by(looks * TICK_S)
    assert world.objects.written == written
    others = [one for one in world.api.requests[asked:] if not one.is_watch]
    assert others == []


def test_a_create_that_took_effect_and_said_nothing_is_one_job(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    world.api.faults.append(Faults(status=504, times=1, takes_effect=True, when=lambda one: one.method == "POST"))
    assert world.end().attempts == 1
    assert list(world.jobs.values()) == [1]


def test_a_job_deleted_by_hand_is_a_lost_attempt_and_another_follows(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    world.until(lambda: world.pods)
    world.objects.remove(JOBS, NAMESPACE, world.objects.all(JOBS, NAMESPACE)[0]["metadata"]["name"])
    assert world.end().attempts == 2
    assert attempts(world)[world.runs[0].run, 1].message.startswith("its Job is gone without a record")


def test_a_job_that_is_gone_is_not_begun_again_after_a_restart(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    world.until(lambda: world.pods)
    world.nodes[0].controller = None
    world.objects.remove(JOBS, NAMESPACE, world.objects.all(JOBS, NAMESPACE)[0]["metadata"]["name"])
    assert world.end().attempts == 2
    assert set(world.jobs.values()) == {1}


def test_what_is_superseded_while_it_runs_says_so_and_is_queued_again_when_it_is_wanted(tmp_path: Path) -> None:
    world = Calm(tmp_path, models=2, supersede="running", retries=0)
    world.until(lambda: len(world.pods) == 2)
    first, other = world.runs
    world.runs = [msgspec.structs.replace(other, model=first.model)]
    world.until(lambda: (first.run, 1) in attempts(world))
    assert attempts(world)[first.run, 1].state is RunState.SUPERSEDED
    world.runs = [first]
    assert (world.end().state, world.end().attempts) == (RunState.SUCCEEDED, 2)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (Reason.UNSCHEDULABLE, "no node takes its pod: 0/3 nodes are available"),
        (Reason.IMAGE_PULL, "can't be pulled: ImagePullBackOff"),
    ],
)
def test_what_a_pod_waits_for_becomes_the_reason_after_its_deadline(
    tmp_path: Path, reason: Reason, message: str
) -> None:
    world = Calm(tmp_path, retries=0, pending_s=100)
    world.stuck = stuck(reason)
    world.until(lambda: world.pods)
    world.pass_by(90, step=1)
    assert world.ends() == [], "the deadline has not come"
    result = world.end(seconds=30)
    assert (result.state, result.reason) == (RunState.FAILED, reason)
    assert message in result.message
    world.until(lambda: not world.objects.all(JOBS, NAMESPACE))


def stuck(reason: Reason) -> dict[str, object]:
    """What is told of a pod that does not start."""
    if reason is Reason.UNSCHEDULABLE:
        said = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}
        return {"phase": "Pending", "conditions": [said]}
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    scheduled = {"type": "PodScheduled", "status": "True"}
    return {
        "phase": "Pending",
        "conditions": [scheduled],
        "initContainerStatuses": [{"name": "fetch", "state": waiting}],
    }


def test_out_of_memory_ends_the_run(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    world.fates[world.runs[0].run, 1] = "OOMKilled"
    result = world.end()
    assert (result.state, result.reason, result.attempts) == (RunState.FAILED, Reason.OUT_OF_MEMORY, 1)
    assert "train.resources.memory" in result.message


def test_an_evicted_pod_is_a_lost_attempt(tmp_path: Path) -> None:
    world = Calm(tmp_path, retries=0)
    world.fates[world.runs[0].run, 1] = "evicted"
    result = world.end()
    assert (result.state, result.reason) == (RunState.LOST, Reason.EVICTED)
    assert "low on resource: memory" in result.message


def test_a_pod_on_a_node_that_is_gone_is_given_up(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    world.until(lambda: world.pods)
    [pod] = world.pods.values()
    pod.frozen_until, pod.left = float("inf"), [("train", float("inf"))]
    world.api.end_pod(NAMESPACE, pod.first["metadata"]["name"], 40)
    world.pass_by(90)
    assert len(world.jobs) == 1, "its grace, and a minute"
    world.until(lambda: len(world.jobs) == 2)
    assert attempts(world)[world.runs[0].run, 1].reason is Reason.EVICTED


def test_what_asks_for_more_than_is_allowed_fails_at_once(tmp_path: Path) -> None:
    world = Calm(tmp_path, env_from=["database"])
    result = world.end()
    assert (result.state, result.reason) == (RunState.FAILED, Reason.BAD_CONTRACT)
    assert "TRAIN_ENV_FROM is empty" in result.message
    assert not world.jobs


QUOTA = 'jobs.batch "pawl-x" is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1, used: 5, limited: 5'
WEBHOOK = (
    'Internal error occurred: failed calling webhook "validate.policy.svc": failed to call webhook: Post '
    '"https://policy.policy.svc:443/validate?timeout=10s": no endpoints available for service "policy"'
)
POLICY = 'admission webhook "validate.policy.svc" denied the request: images come from registry.example.org alone'


def forbid(world: Calm, message: str, times: int, status: int = 403) -> Faults:
    fault = Faults(status=status, times=times, message=message, when=lambda one: one.method == "POST")
    world.api.faults.append(fault)
    return fault


@pytest.mark.parametrize(("status", "message"), [(403, QUOTA), (500, WEBHOOK)])
def test_a_job_that_is_not_admitted_waits_for_its_turn(tmp_path: Path, status: int, message: str) -> None:
    world = Calm(tmp_path)
    forbid(world, message, times=3, status=status)
    world.pass_by(25)
    assert not world.ends()
    assert world.end().state is RunState.SUCCEEDED
    assert world.jobs == {(world.runs[0].run, 1): 1}


@pytest.mark.parametrize(
    ("status", "message", "says"), [(403, QUOTA, "exceeded quota"), (500, WEBHOOK, "no endpoints available")]
)
def test_what_stays_unadmitted_is_not_asked_for_at_each_look_and_given_up_in_time(
    tmp_path: Path, status: int, message: str, says: str
) -> None:
    world = Calm(tmp_path, pending_s=100)
    fault = forbid(world, message, times=1000, status=status)
    world.pass_by(100)
    assert not world.ends(), "the deadline has not come"
    result = world.end()
    assert (result.state, result.reason, result.attempts) == (RunState.FAILED, Reason.UNSCHEDULABLE, 1)
    assert says in result.message
    assert 1000 - fault.times <= 12


def test_an_api_server_that_fails_for_longer_than_a_run_may_wait_costs_no_run(tmp_path: Path) -> None:
    world = Calm(tmp_path, pending_s=100)
    fault = forbid(world, "etcdserver: leader changed", times=100_000, status=500)
    world.pass_by(300)
    assert not world.ends()
    fault.times = 0
    assert world.end().state is RunState.SUCCEEDED


def told(world: Calm) -> list[tuple[RunState, str]]:
    """What people read of runs that are not over."""
    controller = world.nodes[0].controller
    assert controller is not None
    states = controller.states({run.run for run in world.wanted()})
    return [(one.state, one.reached.what if one.reached is not None else "") for one in states]


def test_a_job_that_is_forbidden_says_why_while_it_waits(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    forbid(world, QUOTA, times=1000)
    world.pass_by(2)
    [(state, what)] = told(world)
    assert state is RunState.QUEUED
    assert "exceeded quota" in what


def open_states(world: Calm) -> list[OpenState]:
    controller = world.nodes[0].controller
    assert controller is not None
    return controller.states({run.run for run in world.wanted()})


def test_while_jobs_can_not_be_listed_runs_that_have_none_are_queued_and_say_why(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    rules, world.api.access.rules = world.api.access.rules, []
    world.pass_by(2)
    [(state, what)] = told(world)
    assert state is RunState.QUEUED
    assert 'cannot list resource "jobs"' in what
    assert [one.attempt for one in open_states(world)] == [1]
    world.api.access.rules = rules
    assert world.end().state is RunState.SUCCEEDED


def test_while_jobs_can_not_be_listed_runs_that_had_one_are_pending_in_that_attempt(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    world.stuck = {"phase": "Pending"}
    world.until(lambda: world.begun and open_states(world)[0].attempt == 1)
    world.nodes[0].controller = None  # the daemon starts anew
    rules, world.api.access.rules = world.api.access.rules, []
    world.pass_by(2)
    [(state, what)] = told(world)
    assert state is RunState.PENDING
    assert 'cannot list resource "jobs"' in what
    assert [one.attempt for one in open_states(world)] == [1]
    world.api.access.rules, world.stuck = rules, {}
    assert world.end().attempts == 1


def test_a_run_whose_end_can_not_be_written_is_judged_in_its_last_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("the store is away")

    world = Calm(tmp_path)
    world.until(lambda: world.nodes[0].controller)
    monkeypatch.setattr(RecordedRuns, "conclude", away)
    world.until(lambda: [one.state for one in open_states(world)] == [RunState.EVALUATING])
    world.pass_by(1)
    assert [(one.attempt, one.reached and one.reached.what) for one in open_states(world)] == [(1, "the store is away")]


def test_what_a_policy_denies_fails_at_once(tmp_path: Path) -> None:
    world = Calm(tmp_path)
    forbid(world, POLICY, times=1)
    result = world.end(seconds=5)
    assert (result.state, result.reason) == (RunState.FAILED, Reason.BAD_CONTRACT)
    assert "registry.example.org alone" in result.message


def test_two_daemons_without_a_lease_make_one_job_an_attempt(tmp_path: Path) -> None:
    world = Calm(tmp_path, models=5)
    world.nodes = [Replica(world, tmp_path / f"other{number}") for number in range(2)]
    world.until(lambda: len(world.ends()) == 5)
    assert set(world.jobs.values()) == {1}
    assert {end[2] for end in world.ends()} == {1}
