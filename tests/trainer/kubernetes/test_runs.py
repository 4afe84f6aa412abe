"""Attempts as Jobs, a request at a time: what is begun, taken over and left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.runs.runs import RunSpec
from loader.artifacts.records import RunRecords
from tests.cluster.api import Faults
from tests.cluster.objects import JOBS, Object
from tests.cluster.simulation import JOBS_PATH, NAMESPACE, PLACE, PODS_PATH, Replica, SimulatedApi
from tests.trainer.kubernetes.test_faults import Calm
from tests.trainer.simulation import Files, _spec
from trainer.executor import ExecutorUnavailable
from trainer.kubernetes import names
from trainer.kubernetes.begun import BegunMarks
from trainer.kubernetes.caps import Caps
from trainer.kubernetes.job import job_of
from trainer.kubernetes.object_cache import ObjectCache
from trainer.kubernetes.runs import KubernetesRuns


@pytest.fixture
def world(tmp_path: Path) -> Calm:
    return Calm(tmp_path)


@pytest.fixture
def runs(world: Calm) -> KubernetesRuns:
    """Its caches were filled before there was anything, and no watch tells of what comes."""
    return runs_of(world)


def runs_of(world: Calm, is_filled: bool = True) -> KubernetesRuns:
    replica: Replica = world.nodes[0]
    api = SimulatedApi(replica)
    jobs, pods = (ObjectCache(api, path, names.SELECTOR, lambda: world.now) for path in (JOBS_PATH, PODS_PATH))
    if is_filled:
        jobs.step()
        pods.step()
    marks = BegunMarks(RunRecords(Files(world, replica)))  # type: ignore[arg-type]
    now = lambda: world.now  # noqa: E731
    place = lambda: PLACE  # noqa: E731
    return KubernetesRuns(
        api, jobs, pods, NAMESPACE, place, Caps(), marks, lambda _: None, lambda model, key, attempt: None, now
    )


def spec_of(world: Calm) -> RunSpec:
    return _spec(world.runs[0], 1, "")


def make(world: Calm, spec: RunSpec, **annotations: str) -> Object:
    job = job_of(spec, PLACE)
    job["metadata"]["annotations"] |= annotations
    return world.objects.create(JOBS, NAMESPACE, job)


def test_a_job_whose_making_was_not_answered_is_taken_over_before_the_watch_tells_of_it(
    world: Calm, runs: KubernetesRuns
) -> None:
    spec = spec_of(world)
    world.api.faults.append(Faults(status=504, takes_effect=True, when=lambda one: one.method == "POST"))
    with pytest.raises(ExecutorUnavailable):
        runs.begin(spec)
    assert runs.running() == {}
    runs.begin(spec)
    assert runs.running()[spec.run].attempt == 1
    assert runs.begun(spec.model, spec.run) == 1
    assert len(world.objects.all(JOBS, NAMESPACE)) == 1


def test_a_conflict_that_is_not_about_its_name_is_tried_again(world: Calm, runs: KubernetesRuns) -> None:
    """As a quota says it that two count at once: `Operation cannot be fulfilled on resourcequotas`."""
    spec = spec_of(world)
    world.api.faults.append(Faults(status=409, when=lambda one: one.method == "POST"))
    with pytest.raises(ExecutorUnavailable):
        runs.begin(spec)
    runs.begin(spec)
    assert len(world.objects.all(JOBS, NAMESPACE)) == 1


def test_begun_twice_is_begun_once(world: Calm, runs: KubernetesRuns) -> None:
    spec = spec_of(world)
    runs.begin(spec)
    runs.begin(spec)
    assert len(world.objects.all(JOBS, NAMESPACE)) == 1


@pytest.mark.parametrize("key", [names.RUN, names.MODEL, names.ATTEMPT])
def test_a_job_of_that_name_that_is_another_s_is_left_alone(world: Calm, runs: KubernetesRuns, key: str) -> None:
    spec = spec_of(world)
    make(world, spec, **{key: "another"})
    with pytest.raises(ExecutorUnavailable, match="which is not Pawl's; delete it"):
        runs.begin(spec)
    assert runs.running() == {}


def test_a_job_that_is_ending_is_waited_for(world: Calm, runs: KubernetesRuns) -> None:
    spec = spec_of(world)
    job = make(world, spec)
    world.objects.change(
        JOBS, NAMESPACE, job["metadata"]["name"], lambda one: one["metadata"].update(deletionTimestamp="x")
    )
    with pytest.raises(ExecutorUnavailable, match="is still ending"):
        runs.begin(spec)


def test_nothing_is_said_before_all_has_been_listed(world: Calm) -> None:
    with pytest.raises(ExecutorUnavailable, match="have not been listed yet"):
        runs_of(world, is_filled=False).running()


def test_a_job_that_another_daemon_made_is_not_taken_for_gone(world: Calm, runs: KubernetesRuns) -> None:
    spec = spec_of(world)
    make(world, spec)
    with pytest.raises(ExecutorUnavailable, match="was not seen before"):
        runs.bury(spec.model, spec.run, 1)
    assert runs.running()[spec.run].attempt == 1
