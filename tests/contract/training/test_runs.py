"""Training runs of a running server, as people see them and act on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from tests.pawl.commands import pawl
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

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


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("runs") / "models")
    repo.write("Other/etls.py", echo("other")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


def push(server: Server, repo: Repo, model: str, depth: int) -> None:
    """A commit whose run is good enough from a depth of 5 on."""
    repo.write(f"{model}/train.py", TRAIN).write(f"{model}/etls.py", ETLS)
    repo.write(f"{model}/model.yaml", f"train: {{params: {{depth: {depth}}}, target: {{min: 0.5}}}}\n").commit()
    server.sync()


def told(server: Server, kind: str, model: str) -> list[Any]:
    return [event for event in server.events(kind) if event["model"] == model]


def runs(server: Server, *arguments: str) -> Any:
    done = pawl("runs", *arguments, "--json", cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_rejected_run_says_why_where_people_look_and_what_is_accepted_is_served(server: Server, repo: Repo) -> None:
    push(server, repo, "Low", 1)
    training = server.wait(lambda: rejected(server, "Low"), "the rejection")
    assert training["reason"] == "BelowTarget"
    assert "rejected (BelowTarget)" in server.get("/", headers={"accept": "text/html"}).body.decode()
    assert training["run"] in [run["run"] for run in runs(server, "--state", "rejected")]
    asked = pawl("runs", "start", "Low", cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)
    assert (asked.returncode, f"'pawl runs retry {training['run']}' tries it again" in asked.stderr) == (0, True)
    runs(server, "accept", training["run"], "--reason", "it will do")
    server.wait_live("Low", "v1")
    assert server.score("Low") == {"depth": "1"}


def test_a_push_whose_run_is_rejected_says_so_wherever_the_model_is_listed(server: Server, repo: Repo) -> None:
    push(server, repo, "Deep", 6)
    server.wait_live("Deep", "v1")
    push(server, repo, "Deep", 2)
    run = server.wait(lambda: rejected(server, "Deep"), "the rejection")["run"]
    server.wait(lambda: (server.state("Deep") or {})["state"] == "failed", "the state")
    listed = pawl("ls", cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN).stdout
    assert f"run {run} is rejected: accuracy is 0.2, below the target's min of 0.5" in listed
    page = unescape(server.admin("GET", "/-/").body.decode())
    assert f"Run {run} is rejected:" in page
    assert "accuracy is 0.2, below the target's min of 0.5. v1 stays live." in page
    assert 'pawl_model_failed{model="Deep"} 1.0' in server.request("GET", f"{server.url}/metrics").body.decode()
    synced = server.admin("POST", "/-/sync?wait=50").json["models"]["Deep"]
    said = "v2 has no artifact: its run is rejected, and `pawl runs` says why (v1 stays live)"
    assert (synced["state"], synced["message"]) == ("failed", said)
    asked = pawl("retry", "Deep", cwd=server.settings.data, PAWL_SERVER=server.base, PAWL_TOKEN=TOKEN)
    assert "the run of the head's is rejected" in asked.stdout + asked.stderr
    push(server, repo, "Deep", 7)
    server.wait_live("Deep", "v3")
    assert server.post("/Deep/v2").error(503, "not_trained")["run"] == "rejected"
    assert server.admin("GET", "/-/api/models/Deep/versions/v2").json["state"] == "failed"
    refused = [server.admin("POST", f"/-/api/runs/{run}/cancel").status for _ in range(2)]
    assert refused == [409, 409]
    assert not [event for event in told(server, "run_ended", "Deep") if "asked to be cancelled" in event["message"]]


def test_a_rejected_run_is_accepted_on_its_page_by_whoever_says_why(server: Server, repo: Repo) -> None:
    push(server, repo, "Paged", 1)
    run = server.wait(lambda: rejected(server, "Paged"), "the rejection")["run"]
    page = f"/-/models/Paged/runs/{run}"
    shown = server.admin("GET", page).body.decode()
    assert "Accept it all the same" in shown
    assert f"pawl runs accept {run}" in shown
    assert "Cancel the run" not in shown
    assert submit(server, page, "action=accept&reason=") == 422
    assert submit(server, page, "action=cancel&reason=stop") == 409
    assert submit(server, page, "action=accept&reason=it+will+do") == 303
    server.wait_live("Paged", "v1")
    [event] = [event for event in told(server, "accepted", "Paged") if event["actor"]["kind"] == "key"]
    assert (event["reason"], event["actor"]["name"]) == ("it will do", "ADMIN_TOKEN")
    assert "Accept it all the same" not in server.admin("GET", page).body.decode()


def submit(server: Server, page: str, form: str) -> int:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-www-form-urlencoded"}
    return server.request("POST", server.base + page, content=form, headers=headers).status


def rejected(server: Server, model: str) -> Any:
    training = (server.state(model) or {}).get("training")
    return training if training and training["state"] == "rejected" else None
