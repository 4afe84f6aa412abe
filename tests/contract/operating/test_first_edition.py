"""A whole DATA_DIR that the first edition left, after it had served a repository of two models."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.repos import Repo
from tests.serving import Server, serving

DATA_DIR = Path(__file__).parents[2] / "data" / "first_edition" / "data_dir.tar.gz"
FOLLOWED = "/tmp/first/models"
"""What it followed."""
COMMITS = {"Iris": "9760dff56e9313a8eda5b5f279dd3297e70b3836", "Churn": "8741294efe668791dd4f717431f3c2d07496b6b1"}


def left_at(data: Path, followed: Path) -> Path:
    """Unpacked, as if it had followed another path."""
    data.mkdir()
    subprocess.run(["tar", "-xzf", DATA_DIR, "-C", data], check=True)
    live = data / "live.json"
    live.write_text(live.read_text().replace(FOLLOWED, str(followed)))
    return data


def repository(path: Path) -> None:
    """What the first edition served, commit for commit."""
    repo = Repo(path)
    iris = repo.write("Iris/etls.py", "class Iris:\n    def transform_predict(self):\n        return {}\n").commit()
    churn = "import common\n\n\nclass Churn:\n    def transform_predict(self):\n        return {}\n"
    repo.write("Churn/etls.py", churn).write("common/common.py")
    repo.write("Churn/model.yaml", "description: who leaves\nuses: [common]\nserve: {timeout_s: 5}\n")
    assert {"Iris": iris, "Churn": repo.commit()} == COMMITS


def live(server: Server) -> dict[str, tuple[str, str]]:
    return {name: (model["live"]["version"], model["live"]["commit"]) for name, model in server.models().items()}


def test_what_it_served_is_served_before_git_is_reached_and_goes_on_once_it_is(tmp_path: Path) -> None:
    models = tmp_path / "models"
    data = left_at(tmp_path / "data", models)
    before = {path: path.stat().st_mtime_ns for path in (data / "releases").rglob("*.*")}
    with serving(data, models) as server:
        assert live(server) == {model: ("v1", commit) for model, commit in COMMITS.items()}
        assert (server.score("Iris"), server.score("Churn")) == ({}, {})
        workers = server.workers()
        repository(models)
        server.sync()
        assert live(server) == {model: ("v1", commit) for model, commit in COMMITS.items()}
        assert server.workers() == workers, "nothing is started anew"
        told = {"v1 is live after 6.34 s", "v1 is live after 6.36 s"}
        server.wait(lambda: told <= {event["message"] for event in server.events("live")}, "the events that it wrote")
        assert "set aside" not in server.log
    assert before == {path: path.stat().st_mtime_ns for path in before}, "its releases are read as they are"
