"""The server under a pod's conditions: a read-only root, a user that nobody knows, data that is lost or kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.deploy.manifests import Manifest, build, container
from tests.deploy.pods import UID, needs_mounts, pod, volume
from tests.repos import Repo
from tests.serving import ROOT, Server, echo

IRIS = {"measurements": [5.5, 3.5, 1.3, 0.2]}

pytestmark = needs_mounts


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).write("Writes/etls.py", WRITES).commit()
    return repo


WRITES = """
import os, tempfile

class Writes:
    def transform_predict(self, variables):
        with tempfile.NamedTemporaryFile() as file:
            where = os.path.dirname(file.name)
        refused = {}
        for folder in variables["folders"]:
            try:
                open(os.path.join(folder, "written"), "w").close()
            except OSError as error:
                refused[folder] = error.strerror
        return {"uid": os.getuid(), "temporary": where, "refused": refused}
"""


def test_what_a_run_left_comes_live_for_a_user_that_nobody_knows(tmp_path: Path, repo: Repo) -> None:
    """It is laid over files that are read-only, which nothing is for root."""
    with pod(volume(tmp_path / "data"), repo.path, ready=False, git="") as server:
        server.wait(lambda: (server.state("Iris") or {}).get("live") or "failed" in server.log, "Iris")
        answer = server.post("/Iris", {"variables": IRIS})
        assert (answer.status, "x-pawl-run" in answer.headers) == (200, True), server.log


def test_models_write_to_tmp_and_not_to_the_root(tmp_path: Path, repo: Repo) -> None:
    with pod(volume(tmp_path / "data"), repo.path) as server:
        answer = server.score("Writes", folders=["/", "/usr", str(ROOT)])
        assert (answer["uid"], answer["temporary"]) == (UID, "/tmp")
        assert answer["refused"] == dict.fromkeys(["/", "/usr", str(ROOT)], "Read-only file system")


def test_data_that_is_lost_comes_back_from_git(tmp_path: Path, repo: Repo) -> None:
    with pod(volume(tmp_path / "data"), repo.path) as server:
        assert server.score("Echo")["by"] == "one"
    repo.commit_file("Echo/etls.py", echo("two"))
    shutil.rmtree(tmp_path / "data")
    with pod(volume(tmp_path / "data"), repo.path) as server:
        answer = server.post("/Echo")
        assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("two", "v2")


def test_data_that_is_kept_serves_what_was_live_without_git(tmp_path: Path, repo: Repo) -> None:
    data = volume(tmp_path / "data")
    with pod(data, repo.path) as server:
        server.wait(lambda: (data / "live.json").exists(), "the record")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    with pod(data, nothing) as server:
        answer = server.post("/Echo")
        assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("one", "v1")


def test_a_slow_start_is_healthy_and_not_ready_until_the_model_is_live(tmp_path: Path, repo: Repo) -> None:
    """So that the startup probe ends nobody for a model that takes long."""
    data = volume(tmp_path / "data")
    repo.commit_file("Slow/etls.py", SLOW)
    probes = container(build("base"))
    with pod(data, repo.path, ready=False) as server:
        server.wait(lambda: (server.state("Slow") or {}).get("doing") == "load", "the constructor")
        assert asked(server, probes["startupProbe"]) == asked(server, probes["livenessProbe"]) == 200
        assert asked(server, probes["readinessProbe"]) == 503
        (data / "go").touch()
        server.wait(lambda: asked(server, probes["readinessProbe"]) == 200, "readiness")
        assert server.post("/Slow").status == 200


def asked(server: Server, probe: Manifest) -> int:
    return server.request("GET", server.url + probe["httpGet"]["path"]).status


SLOW = """
import os, time

class Slow:
    def __init__(self):
        while not os.path.exists("/data/go"):
            time.sleep(0.01)

    def transform_predict(self):
        return {}
"""
