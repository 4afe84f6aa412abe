"""What a sync that waits tells of what it found."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.own_models import own_model
from tests.repos import Repo
from tests.serving import Server, echo, serving

WAITS = """
import os, time
while not os.path.exists({gate!r}):
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("sync") / "models")
    repo.write("Other/etls.py", echo("one")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path) as server:
        yield server


@pytest.fixture
def model(server: Server, repo: Repo) -> Iterator[str]:
    """One of the test's own, beside Other; with one version so far, of which it has been told."""
    with own_model(server, repo, "one") as model:
        yield model


def sync(server: Server, status: int = 200, wait: str = "50") -> Any:
    answer = server.admin("POST", f"/-/sync?wait={wait}")
    assert answer.status == status, answer.body
    return answer.json


def states(found: Any) -> dict[str, tuple[str, str]]:
    return {name: (one["state"], one["version"]) for name, one in found["models"].items()}


def test_a_push_is_told_live_once_it_answers_and_what_it_left_alone_unchanged(
    server: Server, repo: Repo, model: str
) -> None:
    repo.commit_file(f"{model}/etls.py", echo("two"))
    found = sync(server)
    assert server.score(model)["by"] == "two"
    assert set(found) == {"head", "models"}
    assert found["head"] == repo.head
    assert states(found) == {model: ("live", "v2"), "Other": ("unchanged", "v1")}
    assert all(set(one) == {"state", "version", "message"} for one in found["models"].values())
    assert states(sync(server)) == {model: ("unchanged", "v2"), "Other": ("unchanged", "v1")}


def test_a_failure_is_told_with_its_reason_and_is_no_error_of_the_sync_itself(
    server: Server, repo: Repo, model: str
) -> None:
    repo.write(f"{model}/etls.py", "def broken(:\n").write("Unlucky/etls.py", "raise RuntimeError('no luck')\n")
    repo.write("Third/model.yaml", "serve: {replicas: many}\n").write("Third/etls.py", echo("three")).commit()
    found = sync(server)
    failed = {model: ("failed", "v2"), "Unlucky": ("failed", "v1"), "Third": ("failed", "v1")}
    assert states(found) == {"Other": ("unchanged", "v1"), **failed}
    assert "etls.py" in found["models"][model]["message"]
    assert "no luck" in found["models"]["Unlucky"]["message"]
    assert "replicas" in found["models"]["Third"]["message"]
    assert states(sync(server)) == states(found), "a failure does not become good by asking again"
    assert server.score(model)["by"] == "one"
    repo.write(f"{model}/etls.py", echo("mended")).commit()
    assert states(sync(server))[model] == ("live", "v3")
    repo.remove("Unlucky").remove("Third")


def test_models_that_come_and_go_are_told(server: Server, repo: Repo, model: str) -> None:
    repo.remove(model).write("New/etls.py", echo("new")).commit()
    found = sync(server)
    assert states(found) == {"Other": ("unchanged", "v1"), "New": ("live", "v1"), model: ("removed", "v1")}
    server.post(f"/{model}").error(404, "model_not_found")
    assert states(sync(server)) == {"Other": ("unchanged", "v1"), "New": ("unchanged", "v1")}
    repo.remove("New")


def test_a_model_that_never_was_live_is_told_removed_too(server: Server, repo: Repo, model: str) -> None:
    repo.commit_file("Bad/etls.py", "raise RuntimeError\n")
    sync(server)
    repo.remove("Bad").commit()
    assert states(sync(server))["Bad"] == ("removed", "")
    server.post("/Bad").error(404, "model_not_found")


def test_a_revert_is_a_new_version_that_goes_live(server: Server, repo: Repo, model: str) -> None:
    repo.commit_file(f"{model}/etls.py", echo("two"))
    sync(server)
    repo.revert()
    assert states(sync(server))[model] == ("live", "v3")


def test_what_takes_longer_than_the_wait_is_pending_and_told_when_asked_again(
    server: Server, repo: Repo, model: str, tmp_path: Path
) -> None:
    repo.commit_file(f"{model}/etls.py", WAITS.format(gate=str(tmp_path / "gate")) + echo("late"))
    server.wait(lambda: states(sync(server, 202, "0.2")).get(model) == ("pending", "v2"), "the push to be found")
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(sync(server)))
    asking.start()
    (tmp_path / "gate").touch()
    asking.join(60)
    assert states(found[0])[model] == ("live", "v2")


def test_two_who_wait_are_both_answered(server: Server, repo: Repo, model: str) -> None:
    repo.commit_file(f"{model}/etls.py", echo("two"))
    found: list[Any] = []
    askers = [threading.Thread(target=lambda: found.append(sync(server))) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(60)
    assert [one["head"] for one in found] == [repo.head] * 4
    assert {states(one)[model][1] for one in found} == {"v2"}


def test_a_source_that_can_not_be_read_is_told_beside_what_is_served(server: Server, repo: Repo, model: str) -> None:
    away = repo.path.rename(repo.path.with_name("elsewhere"))
    found = sync(server)
    away.rename(repo.path)
    assert "models" in found["problem"]
    assert states(found) == {model: ("unchanged", "v1"), "Other": ("unchanged", "v1")}


def test_without_a_wait_it_answers_at_once_that_it_will_look(server: Server, repo: Repo, model: str) -> None:
    head = repo.head
    repo.commit_file(f"{model}/etls.py", echo("two"))
    for path in ("/-/sync", "/-/sync?wait=", "/-/sync?wait=0"):
        answer = server.admin("POST", path)
        assert answer.status == 202
        assert set(answer.json) == {"head", "models"}
        assert answer.json["head"] in (head, repo.head)
    server.wait_live(model, "v2")


@pytest.mark.parametrize("odd", ["nan", "-1", "x", "inf", "1s", "0x10"])
def test_a_wait_that_is_no_number_of_seconds_is_refused_by_name(server: Server, odd: str) -> None:
    error = server.admin("POST", f"/-/sync?wait={odd}").error(422, "invalid_parameter")
    assert error["field"] == "wait"
    assert "wait" in error["message"]


def test_a_longer_wait_than_a_gateways_patience_is_cut_to_what_it_has(server: Server) -> None:
    assert set(states(sync(server, wait="3600"))) == {"Other"}


def test_refactor_looks_too_for_whoever_may_sync_unless_a_model_is_called_so(
    server: Server, repo: Repo, model: str
) -> None:
    assert server.get("/refactor").status == 401
    repo.commit_file(f"{model}/etls.py", echo("two"))
    assert server.admin("GET", "/refactor").status == 202
    server.wait(lambda: server.score(model)["by"] == "two", "the push to be live")
    assert server.post("/refactor", {}).status == 404
    repo.write("refactor/etls.py", echo("a model")).commit()
    sync(server)
    assert server.get("/refactor").json["by"] == "a model"
    repo.remove("refactor")
