"""Training in a cluster: on the double, whose pods are processes here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import wraps
from pathlib import Path

import pytest

from core.run_states import RunState
from tests.cluster.cluster import cluster
from tests.cluster.training import ClusterTraining
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
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterTraining]:
    repo = Repo(tmp_path / "git" / "models")
    with cluster(tmp_path) as one, git_server(tmp_path / "git") as git:
        monkeypatch.setenv("KUBECONFIG", str(one.kubeconfig))
        yield ClusterTraining(one, repo, git.url("models/.git"), tmp_path / "data")


def in_a_loop(
    test: Callable[[ClusterTraining], Coroutine[None, None, None]],
) -> Callable[[ClusterTraining], None]:
    @wraps(test)
    def run(made: ClusterTraining) -> None:
        asyncio.run(test(made))

    return run


@in_a_loop
async def test_a_commit_is_trained_in_a_job_and_its_artifact_accepted(made: ClusterTraining) -> None:
    made.push(train=FITS, yaml="train: {params: {depth: 6}, target: {min: 0.5}}")
    async with made.following() as training:
        result = await made.result()
        assert (result.state, result.scores) == (RunState.SUCCEEDED, {"accuracy": 0.6}), result
        assert made.store.manifest(result.artifact).files[0].name == "model.txt"
        await made.come(lambda: training.trainer.accepted.newest_first())
        [job] = made.cluster.jobs()
        assert job["metadata"]["name"].startswith("pawl-")
        assert job["metadata"]["name"].endswith(f"-{result.run}-a1")
