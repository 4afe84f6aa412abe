"""Training runs of a running server, as people see them and act on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.pawl.commands import pawl
from tests.repos import Repo
from tests.serving import TOKEN, Server, serving

TRAIN = """
def train(output, report, depth=1):
    print("depth", depth)
    report(1, 1, loss=0.5)
    with open(output + "depth.txt", "w") as file:
        file.write(str(depth))
    return {"accuracy": depth / 10}
"""
ETLS = """
class Deep:
    def __init__(self, path):
        self.depth = open(path + "depth.txt").read()

    def transform_predict(self, variables):
        return {"depth": self.depth}
"""


def runs(server: Server, *arguments: str) -> Any:
    done = pawl("runs", *arguments, "--json", cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_rejected_run_says_why_where_people_look_and_what_is_accepted_is_served(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "models")
    repo.write("Deep/train.py", TRAIN).write("Deep/etls.py", ETLS)
    repo.write("Deep/model.yaml", "train: {target: {min: 0.5}}\n").commit()
    with serving(tmp_path / "data", repo.path) as server:
        training = server.wait(lambda: rejected(server), "the rejection")
        assert training["reason"] == "BelowTarget"
        assert "rejected (BelowTarget)" in server.get("/", headers={"accept": "text/html"}).body.decode()
        assert [run["run"] for run in runs(server, "--state", "rejected")] == [training["run"]]
        runs(server, "accept", training["run"], "--reason", "it will do")
        server.wait_live("Deep", "v1")
        assert server.score("Deep") == {"depth": "1"}


def rejected(server: Server) -> Any:
    training = (server.state("Deep") or {}).get("training")
    return training if training and training["state"] == "rejected" else None
