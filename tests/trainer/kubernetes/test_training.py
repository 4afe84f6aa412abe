"""Training in a cluster: on the double, whose pods are processes here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from functools import wraps
from pathlib import Path

import pytest

from core.runs.states import Reason, RunState
from tests.cluster.cluster import cluster
from tests.cluster.sandbox import HAS_BUBBLEWRAP
from tests.cluster.training import CLAIM, ClusterTraining
from tests.githttp import git_server
from tests.repos import Repo

FITS = """
import os
def train(output, depth=1):
    print("training", depth)
    with open(output + "model.txt", "w") as file:
        file.write(str(depth))
    return {"accuracy": depth / 10}
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[ClusterTraining]:
    repo = Repo(tmp_path / "git" / "models")
    with cluster(tmp_path, getattr(request, "param", HAS_BUBBLEWRAP)) as one, git_server(tmp_path / "git") as git:
        monkeypatch.setenv("KUBECONFIG", str(one.kubeconfig))
        yield ClusterTraining(one, repo, git.url("models/.git"), tmp_path / "data")


def in_a_loop(
    test: Callable[[ClusterTraining], Coroutine[None, None, None]],
) -> Callable[[ClusterTraining], None]:
    @wraps(test)
    def run(made: ClusterTraining) -> None:
        asyncio.run(test(made))

    return run


@pytest.mark.parametrize("made", {False, HAS_BUBBLEWRAP}, indirect=True, ids=lambda confined: f"{confined=}")
@in_a_loop
async def test_a_commit_is_trained_in_a_job_and_its_artifact_accepted(made: ClusterTraining) -> None:
    made.push(train=FITS, yaml="train: {params: {depth: 6}, target: {min: 0.5}}")
    async with made.following() as training:
        result = await made.result()
        assert (result.state, result.scores) == (RunState.SUCCEEDED, {"accuracy": 0.6}), result
        assert made.store.manifest(result.artifact).files[0].name == "model.txt"
        await made.come(lambda: training.accepted.newest_first())
        [job] = made.cluster.jobs()
        assert job["metadata"]["name"].startswith("pawl-")
        assert job["metadata"]["name"].endswith(f"-{result.run}-a1")


WAITS_ONCE = """
import os, time
def train(output, checkpoint):
    open(output + "m", "w").close()
    if os.path.exists(checkpoint + "half"):
        return 1
    open(checkpoint + "half", "w").close()
    print("waits", flush=True)
    time.sleep(600)
"""
SEES = """
import glob, json, os
def train(output):
    hidden = {}
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            hidden[path] = open(path).read()
        except OSError:
            pass
    seen = json.dumps([dict(os.environ), hidden, os.listdir("/git") if os.path.exists("/git") else []])
    with open(output + "seen.json", "w") as file:
        file.write(seen)
    return 1
"""


@in_a_loop
async def test_the_code_sees_no_login_and_what_its_folder_may_name(made: ClusterTraining) -> None:
    made.cluster.secret("pawl-git", {"usergit": "ann", "gitpassword": "the-git-password"})
    made.cluster.secret("store", {"AWS_SECRET_ACCESS_KEY": "the-store-key"})
    made.cluster.secret("team", {"TOKEN": "the-team-token"})
    made.push(train=SEES, yaml="train: {env_from: [team]}")
    async with made.following(train_store_secret="store", train_env_from="team*"):
        result = await made.result()
    assert result.state is RunState.SUCCEEDED, result
    made.store.fetch(result.artifact, made.data / "left")
    seen = (made.data / "left" / "seen.json").read_text()
    assert "the-team-token" in seen
    assert "the-git-password" not in seen
    own = json.loads(seen)[0]
    assert "the-store-key" not in json.dumps(own)


@in_a_loop
async def test_a_pod_that_is_out_of_memory_ends_its_run_with_what_it_printed(made: ClusterTraining) -> None:
    made.push(train="import time\ndef train():\n    print('here I was', flush=True)\n    time.sleep(600)")
    async with made.following():
        await made.come(lambda: "here I was" in made.cluster.log())
        made.cluster.run_out_of_memory(made.cluster.pods()[0])
        result = await made.result()
    assert (result.state, result.reason, result.attempts) == (RunState.FAILED, Reason.OUT_OF_MEMORY, 1)
    assert "here I was" in result.detail


@in_a_loop
async def test_a_drained_pod_leaves_no_record_and_another_attempt_goes_on_from_its_checkpoint(
    made: ClusterTraining,
) -> None:
    made.push(train=WAITS_ONCE)
    async with made.following():
        await made.come(lambda: "waits" in made.cluster.log())
        made.cluster.drain(made.cluster.pods()[0])
        result = await made.result()
    assert (result.state, result.attempts) == (RunState.SUCCEEDED, 2)
    attempt = json.loads(made.records.get("Iris", result.run, "a1.json") or b"{}")
    assert (attempt["state"], attempt["reason"]) == ("lost", "Evicted")
    assert not list((made.cluster.claim(CLAIM) / "pawl" / "checkpoints").iterdir()), "nobody needs it any more"
