"""The image as a server and as a training run: read-only root, no capabilities, a user that it doesn't know.

PAWL_TEST_IMAGE=build pytest tests/deploy/test_image.py
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from core.manifest.train import Train
from core.runs.runs import AttemptResult, RunSpec
from core.runs.states import RunState
from loader.artifacts.files.place import open_files
from loader.artifacts.records import RunRecords
from loader.sources.git.remote import Remote
from loader.sources.git.source import GitSource
from tests.deploy.images import Container, docker, image, reason_to_skip, run_container, running
from tests.deploy.pods import volume
from tests.dockerfile import health_command
from tests.repos import Repo
from tests.serving import ROOT, echo
from trainer.kubernetes.job import CLAIM, CODE, USER, WORK, JobPlace, job_of
from trainer.records.record_names import attempt_record

KEY = "0123456789ab"

pytestmark = [
    pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip()),
    pytest.mark.timeout(1800),
]

SLOW = """
import os, time

class Slow:
    def transform_predict(self, variables):
        open("/tmp/began", "w").close()
        while not os.path.exists("/tmp/go"):
            time.sleep(0.01)
        return {"uid": os.getuid()}
"""

TRAIN = """
from pathlib import Path

def train(output):
    Path(output, "weight.txt").write_text("3")
    return {"quality": 1.0}
"""

SCALE = """
class Scale:
    def __init__(self, path):
        self.weight = float(open(path + "weight.txt").read())

    def transform_predict(self, variables):
        return {"scaled": self.weight * variables["x"]}
"""


@pytest.fixture(scope="module")
def name() -> str:
    return image()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    return repo


@pytest.fixture
def docker_volume() -> Iterator[str]:
    """One that Docker fills from the image, its owner included."""
    made = docker("volume", "create", f"pawl-test-{uuid4().hex}").stdout.strip()
    yield made
    docker("volume", "rm", "--force", made)


@pytest.mark.parametrize("user", ["12345:0", "1000:1000"])
def test_it_serves_the_examples_and_says_that_it_is_healthy(name: str, docker_volume: str, user: str) -> None:
    with running(name, docker_volume, user) as server:
        server.wait(lambda: "Iris: v1 (run " in server.log, "Iris")
        answer = server.post("Iris", measurements=[5.5, 3.5, 1.3, 0.2])
        assert (answer.status_code, answer.json()["label"]) == (200, "setosa")
        assert "x-pawl-run" in answer.headers
        assert "Iris\tready\tv1\t" in server.execute("sh", "-c", "cd /tmp && pawl ls")
        examples = sorted(path.parent.name for path in (ROOT / "models_serve").glob("*/examples.json"))
        server.wait(lambda: ready_models(server) == examples, "all examples")
        server.wait(lambda: "\tIris\tsucceeded\t" in server.execute("pawl", "runs"), "the run")
        assert server.execute(*health_command()) == ""
        assert (
            server.execute("sh", "-c", "touch /pawl/x /venv/x /etc/x 2>/dev/null; id -u").strip() == user.split(":")[0]
        )
        assert "ERROR" not in server.log


def ready_models(server: Container) -> list[str]:
    rows = [line.split("\t") for line in server.execute("pawl", "ls").splitlines()]
    return sorted(row[0] for row in rows if row[1] == "ready")


def test_it_finishes_requests_when_it_is_told_to_stop(name: str, tmp_path: Path, repo: Repo) -> None:
    repo.commit_file("Slow/etls.py", SLOW)
    with served(name, tmp_path, repo) as server, ThreadPoolExecutor() as pool:
        asked = pool.submit(server.post, "Slow")
        server.wait(lambda: "began" in server.execute("ls", "/tmp"), "the request")
        docker("kill", "--signal", "TERM", server.id)
        server.wait(lambda: "stopping" in server.log, "the stop")
        server.execute("touch", "/tmp/go")
        assert asked.result().json() == {"uid": 12345}
        assert server.exit_code() == 0


def test_it_trains_and_serves_what_the_run_left(name: str, tmp_path: Path, repo: Repo) -> None:
    repo.write("Scale/train.py", TRAIN).write("Scale/etls.py", SCALE).commit()
    with served(name, tmp_path, repo) as server:
        server.wait(lambda: "Scale: v1 (run " in server.log, "the run")
        assert server.post("Scale", x=2).json() == {"scaled": 6.0}


@pytest.mark.parametrize("user", [USER, {"runAsUser": 123456, "runAsGroup": 0, "fsGroup": 0}], ids=["ours", "any"])
def test_it_is_the_pod_of_a_run(name: str, tmp_path: Path, repo: Repo, user: dict[str, int]) -> None:
    """Both containers of the Job's pod, with its user and its mounts; the repository and the store are folders."""
    repo.write("Scale/train.py", TRAIN).write("Scale/etls.py", SCALE).commit()
    folders = {volume: owned(tmp_path / volume, user["fsGroup"]) for volume in ("work", "artifacts")}
    place = JobPlace("pawl", name, {"PAWL_GIT_PATH": "/models"}, claim="artifacts", user=user)
    pod = job_of(spec_of(repo, tmp_path), place)["spec"]["template"]["spec"]
    (fetch,), (train,) = pod["initContainers"], pod["containers"]
    fetch["volumeMounts"].append({"name": "models", "mountPath": "/models", "readOnly": True})
    whom = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    run_container(fetch, whom, {**folders, "models": repo.path})
    run_container(train, whom, folders)
    records = RunRecords(open_files(f"file://{folders['artifacts']}", tmp_path))
    record = msgspec.json.decode(records.get("Scale", KEY, attempt_record(1)) or b"", type=AttemptResult)
    assert (record.state, record.scores) == (RunState.SUCCEEDED, {"quality": 1.0}), record
    assert (folders["artifacts"] / "artifacts" / record.artifact / "files" / "weight.txt").read_text() == "3"


def spec_of(repo: Repo, folder: Path) -> RunSpec:
    """Of the run that the head of the repository wants."""
    data = folder / "looked"
    (data / "run").mkdir(parents=True)
    source = GitSource(Remote(str(repo.path)), data)
    found = source.look().models["Scale"]
    source.close()
    assert found.revision is not None
    return RunSpec(
        run=KEY,
        attempt=1,
        model="Scale",
        commit=found.version.commit,
        code_key=found.revision.code_key,
        train=Train(),
        root=f"{CODE}/{found.revision.code_key}",
        home=f"{WORK}/runs/{KEY}",
        data_dir=WORK,
        artifacts=f"file://{CLAIM}",
        in_pod=True,
    )


def owned(path: Path, group: int) -> Path:
    """An empty volume for that `fsGroup`."""
    volume(path)
    os.chown(path, -1, group)
    path.chmod(0o2775)
    return path


def test_it_comes_up_from_git_without_its_data_and_from_its_data_without_git(
    name: str, tmp_path: Path, repo: Repo
) -> None:
    with served(name, tmp_path, repo) as server:
        assert server.post("Echo").json()["by"] == "one"
        server.wait((tmp_path / "data/live.json").exists, "the record")
    away = repo.path.rename(tmp_path / "away")
    repo.path.mkdir()
    with served(name, tmp_path, repo, is_new=False) as server:
        assert server.post("Echo").json()["by"] == "one"
    repo.path.rmdir()
    away.rename(repo.path)
    shutil.rmtree(tmp_path / "data")
    repo.commit_file("Echo/etls.py", echo("two"))
    with served(name, tmp_path, repo) as server:
        assert server.post("Echo").json()["by"] == "two"


@contextmanager
def served(name: str, folder: Path, repo: Repo, *, is_new: bool = True) -> Iterator[Container]:
    """A container of that image that is ready, with its data in `folder`."""
    data = volume(folder / "data") if is_new else folder / "data"
    with running(name, data, mounts=[f"{repo.path}:/models:ro"], gitPath="/models") as server:
        yield server.wait_ready()
