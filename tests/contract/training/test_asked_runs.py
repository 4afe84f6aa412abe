"""Runs that a person asks for with parameters or a commit of their own: for trying out, until somebody pins one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loader.artifacts.files.place import open_files
from loader.artifacts.store import ArtifactStore
from loader.releases.store import ReleaseStore
from tests.admin_actions import act
from tests.contract.training.trained import BASE, Trained, manifest
from tests.repos import Repo
from tests.serving import Server, echo, serving


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("asked") / "models")
    repo.write("Other/etls.py", echo("other")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path, VERSION_IDLE_S="1") as server:
        yield server


def asked(trained: Trained, **asked: Any) -> str:
    """The key of a run that was asked for, and has succeeded."""
    run = str(act(trained.server, "POST", f"models/{trained.name}/runs", asked).json["run"])
    trained.server.wait(lambda: shown(trained, run)["state"] == "succeeded", "the run's success")
    return run


def shown(trained: Trained, run: str) -> Any:
    return act(trained.server, "GET", f"runs/{run}").json


def test_a_run_of_ones_own_params_answers_by_its_key_and_is_live_only_while_it_is_pinned(trained: Trained) -> None:
    first = trained.ask().headers["x-pawl-run"]
    run = asked(trained, params={"weight": 7}, reason="heavier?")
    assert shown(trained, run)["started_by"] == "key ADMIN_TOKEN (heavier?)"
    trained.server.sync()
    live, own = trained.ask(), trained.ask(f"run-{run}")
    assert (live.json["scaled"], live.headers["x-pawl-run"]) == (20.0, first)
    assert (own.json["scaled"], own.headers["x-pawl-run"]) == (70.0, run)
    assert act(trained.server, "PUT", f"models/{trained.name}/pin", {"version": f"run-{run}"}).status < 300
    trained.server.wait(lambda: trained.ask().headers["x-pawl-run"] == run, "the pinned run")
    assert trained.ask().json["scaled"] == 70.0
    act(trained.server, "DELETE", f"models/{trained.name}/pin")
    trained.server.wait(lambda: trained.ask().headers["x-pawl-run"] == first, "the end of the pin")


def test_a_run_of_a_commit_of_ones_own_does_not_go_live(trained: Trained) -> None:
    trained.push({"model.yaml": manifest(weight=3)})
    second = trained.wait_live("v2").headers["x-pawl-run"]
    trained.push({"model.yaml": manifest(weight=4, score=0.1)})
    trained.server.wait(lambda: trained.server.state(trained.name)["state"] == "failed", "the rejection")
    rejected = act(trained.server, "GET", "runs?state=rejected&model=" + trained.name).json["items"][0]["run"]
    refused = act(trained.server, "PUT", f"models/{trained.name}/pin", {"version": "v3"})
    assert f"pawl runs accept {rejected} takes" in str(refused.json)
    run = asked(trained, commit="v2", params={"weight": 5})
    trained.server.sync()
    assert trained.ask().headers["x-pawl-run"] == second
    assert shown(trained, run)["params"] == {"weight": 5}
    assert trained.ask(f"run-{run}").json["scaled"] == 50.0


def test_a_run_whose_artifact_is_gone_is_told_with_410(trained: Trained) -> None:
    run = asked(trained, params={"weight": 7})
    data = trained.server.settings.data
    ArtifactStore(open_files("", data)).delete(shown(trained, run)["artifact"])
    ReleaseStore(data / "releases").prune(trained.name, {trained.server.state(trained.name)["live"]["release"]})
    trained.ask(f"run-{run}").error(410, "artifact_gone")
    act(trained.server, "GET", f"runs/{run}/artifact").error(410, "artifact_gone")
    assert trained.ask().json["scaled"] == 20.0


def test_runs_are_read_back_by_a_server_that_lost_its_registry(tmp_path: Path) -> None:
    repo, data = Repo(tmp_path / "models"), tmp_path / "data"
    with serving(data, start(repo)) as server:
        trained = Trained(server, repo, "Scale")
        first = trained.wait_live("v1").headers["x-pawl-run"]
        before = shown(trained, first)
    for lost in (*data.glob("registry.db*"), data / "live.json"):
        lost.unlink()
    with serving(data, repo.path) as server:
        trained = Trained(server, repo, "Scale")
        assert trained.wait_live("v1").headers["x-pawl-run"] == first
        assert shown(trained, first) == before
        assert [run["run"] for run in act(server, "GET", "runs").json["items"]] == [first]


def start(repo: Repo) -> Path:
    for name, content in BASE.items():
        repo.write(f"Scale/{name}", content)
    repo.commit()
    return repo.path
