"""Data that changes gives one revision another artifact; what operators do between the two."""

from __future__ import annotations

from pathlib import Path

from tests.admin_actions import act, live
from tests.repos import Repo
from tests.serving import Server, serving
from tests.webdata import DataServer, data_server

TRAIN = """
import shutil
from pathlib import Path

def train(dataset, output):
    shutil.copy(dataset, Path(output, "weight.txt"))
    return {"quality": 1}
"""
ETLS = """
class Scale:
    def __init__(self, path):
        self.weight = float(open(path + "weight.txt").read())

    def transform_predict(self, variables):
        return {"scaled": self.weight * variables["x"]}
"""


def run_of(server: Server) -> str:
    """That left what answers."""
    return server.post("/Scale", {"variables": {"x": 10}}).headers.get("x-pawl-run", "")


def offer(data: DataServer, weight: str) -> None:
    data.content["/weight.txt"] = weight.encode()
    data.headers = {"ETag": f'"{weight}"'}


def test_a_rollback_rejects_the_newer_run_and_an_acceptance_takes_it_back(tmp_path: Path) -> None:
    with data_server(tmp_path) as data:
        offer(data, "2")
        repo = Repo(tmp_path / "models")
        repo.write("Scale/train.py", TRAIN).write("Scale/etls.py", ETLS)
        repo.write("Scale/model.yaml", f"train: {{dataset: '{data.url('/weight.txt')}'}}\n").commit()
        with serving(tmp_path / "data", repo.path, SSL_CERT_FILE=str(data.certificate)) as server:
            server.wait_live("Scale", "v1")
            first = run_of(server)
            offer(data, "3")
            second = act(server, "POST", "models/Scale/runs", {"reason": "there is more data"}).json["run"]
            server.wait(lambda: run_of(server) == second, "the second artifact is live")
            assert live(server, "Scale") == "v1", "both are of one revision"

            back = act(server, "POST", "models/Scale/rollback", {"reason": "worse"})
            assert (back.status, back.json["version"], back.json["run"]) == (200, "v1", first)
            assert run_of(server) == first
            versions = act(server, "GET", "models/Scale/versions").json["items"]
            assert {one["run"]: (one["state"], one["role"]) for one in versions} == {
                second: ("rejected", None),
                first: ("ready", "live"),
            }

            turned_down = f"was turned down by a rollback; pawl accept Scale run-{second} takes it back"
            assert turned_down in act(server, "GET", f"runs/{second}").json["message"]
            assert "turned down" not in act(server, "GET", f"runs/{first}").json["message"]
            refused = act(server, "POST", f"runs/{second}/accept", {"reason": "better after all"})
            assert turned_down in refused.error(409, "run_state")["message"]

            repo.commit_file("Scale/etls.py", ETLS + "\n# another edition\n")
            server.sync()
            server.wait_live("Scale", "v2")
            assert run_of(server) == first, "a run that was rejected is rejected for every revision"

            taken = act(server, "POST", f"models/Scale/versions/run-{second}/accept", {"reason": "better after all"})
            assert taken.status == 200
            assert run_of(server) == second
            causes = [one["cause"] for one in act(server, "GET", "models/Scale/deployments").json["items"]]
            assert causes[-3:] == ["rollback", "train", "train"]
