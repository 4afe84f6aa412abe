"""Pins, rollbacks and the like through the admin API, over one server; tests of one model leave it as they found it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.admin_actions import act, deployments, live, steps
from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

RAISES = "class M:\n    def transform_predict(self, variables):\n        raise ValueError('no')\n"
MODELS = ("A", "B", "C", "D")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return Repo(tmp_path_factory.mktemp("steering") / "models")


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    """Each model was live with v1, v2 and v3; v2 of D can't answer its example."""
    push(repo, "one")
    with serving(repo.path.parent / "data", repo.path) as server:
        for edition in ("two", "three"):
            push(repo, edition)
            server.sync()
        yield server


def push(repo: Repo, edition: str) -> None:
    for model in MODELS:
        source = RAISES if (model, edition) == ("D", "two") else echo(edition)
        repo.write(f"{model}/etls.py", source).write(f"{model}/examples.json", '[{"variables": {}}]')
    repo.commit(edition)


def kinds(server: Server, action: str) -> list[str]:
    """Of the events of an action, the oldest first."""
    return [event["kind"] for event in reversed(server.events()) if event.get("action") == action]


def test_a_pin_is_live_on_every_gateway_before_it_is_answered_and_holds_until_it_is_lifted(server: Server) -> None:
    pinned = act(server, "PUT", "models/A/pin", {"version": "v1", "reason": "v3 is slow"})
    assert (pinned.status, pinned.json["state"], pinned.json["version"]) == (200, "done", "v1")
    answer = server.post("/A")
    assert (answer.json["by"], answer.headers["x-pawl-version"]) == ("one", "v1")
    assert steps(pinned.json) >= {"start", "swap"}
    assert kinds(server, pinned.json["id"]) == ["pinned"]
    event = server.events("pinned")[0]
    assert (event["version"], event["reason"], event["actor"]["kind"]) == ("v1", "v3 is slow", "key")
    assert event["actor"]["address"] == "127.0.0.1"
    lifted = act(server, "DELETE", "models/A/pin")
    assert (lifted.status, lifted.json["state"], lifted.json["version"]) == (200, "done", "v3")
    assert live(server, "A") == "v3"
    assert kinds(server, lifted.json["id"]) == ["unpinned"]
    again = act(server, "DELETE", "models/A/pin")
    assert (again.status, kinds(server, again.json["id"])) == (200, [])


def test_a_rollback_goes_to_what_was_live_before_an_acceptance_takes_it_back_and_the_ledger_has_both(
    server: Server,
) -> None:
    first = act(server, "POST", "models/B/rollback", {"reason": "wrong"})
    assert (first.status, first.json["version"], live(server, "B")) == (200, "v2", "v2")
    assert kinds(server, first.json["id"]) == ["rejected", "rolled_back"]
    server.sync()
    assert live(server, "B") == "v2", "what was turned down does not come back by itself"
    second = act(server, "POST", "models/B/rollback")
    assert (second.status, live(server, "B")) == (200, "v1")
    act(server, "POST", "models/B/rollback").error(409, "no_earlier_release")
    accepted = act(server, "POST", "models/B/versions/v3/accept", {"reason": "it was not"})
    assert (accepted.status, live(server, "B")) == (200, "v3")
    assert kinds(server, accepted.json["id"]) == ["accepted"]
    to = act(server, "POST", "models/B/rollback", {"to": "v2"})
    assert (to.status, live(server, "B")) == (200, "v2"), "although it was rejected: somebody named it"
    assert act(server, "POST", "models/B/versions/v3/accept").status == 200
    assert live(server, "B") == "v3"
    check_the_ledger_of_these(server)


def check_the_ledger_of_these(server: Server) -> None:
    found = server.wait(
        lambda: found if len(found := deployments(server, "B")) == 8 else [], "the ledger of what was done to B"
    )
    assert [(one.version, one.cause) for one in reversed(found)] == [
        ("v1", "push"),
        ("v2", "push"),
        ("v3", "push"),
        ("v2", "rollback"),
        ("v1", "rollback"),
        ("v3", "push"),
        ("v2", "rollback"),
        ("v3", "push"),
    ]
    told = [(one.actor.kind, one.reason) for one in found if one.actor is not None]
    assert told == [("key", ""), ("key", ""), ("key", "it was not"), ("key", ""), ("key", "wrong"), *[("git", "")] * 3]


def test_a_rollback_names_another_version_than_the_live_one_and_none_that_is_unknown(server: Server) -> None:
    act(server, "POST", "models/A/rollback", {"to": "v3"}).error(409, "is_live")
    act(server, "POST", "models/A/rollback", {"to": "v9"}).error(404, "version_not_found")


def test_while_a_model_is_pinned_it_is_not_rolled_back(server: Server) -> None:
    assert act(server, "PUT", "models/A/pin", {"version": "v3"}).status == 200
    assert act(server, "POST", "models/A/rollback").error(409, "pinned")["version"] == "v3"
    assert act(server, "DELETE", "models/A/pin").status == 200


def test_a_pin_of_what_cannot_be_served_is_withdrawn_and_changes_nothing(server: Server) -> None:
    failed = act(server, "PUT", "models/D/pin", {"version": "v2"})
    error = failed.error(422, "release_failed")
    assert (error["stage"], error["withdrawn"]) == ("examples", True)
    assert live(server, "D") == "v3"
    assert kinds(server, error["action"]) == ["pinned", "unpinned"]
    assert server.events("unpinned")[0]["actor"]["kind"] == "pawl"
    action = server.admin("GET", f"/-/api/actions/{error['action']}").json
    assert (action["state"], action["withdrawn"], action["code"]) == ("failed", True, "release_failed")
    assert act(server, "DELETE", "models/D/pin").json["message"] == "D was not pinned"
    server.wait(lambda: server.state("D")["failure"] is None, "the failure of what is wanted no more to be forgotten")
    assert server.state("D")["state"] == "ready"


def test_a_pin_that_is_withdrawn_leaves_the_one_before(server: Server) -> None:
    assert act(server, "PUT", "models/D/pin", {"version": "v1"}).status == 200
    act(server, "PUT", "models/D/pin", {"version": "v2"}).error(422, "release_failed")
    assert live(server, "D") == "v1"
    act(server, "POST", "models/D/rollback").error(409, "pinned")
    assert act(server, "DELETE", "models/D/pin").status == 200


def test_a_rollback_to_what_cannot_be_served_is_withdrawn(server: Server) -> None:
    error = act(server, "POST", "models/D/rollback", {"to": "v2"}).error(422, "release_failed")
    assert error["withdrawn"]
    assert live(server, "D") == "v3"
    assert kinds(server, error["action"]) == ["rejected", "rolled_back", "accepted"]
    server.sync()
    assert live(server, "D") == "v3"


def test_an_action_on_another_live_version_than_was_seen_is_refused(server: Server, repo: Repo) -> None:
    for wrong in ("v1", "v9", repo.git("rev-parse", "HEAD~1"), "run-0123456789ab"):
        error = act(server, "PUT", "models/C/pin", {"version": "v1", "expect": wrong}).error(409, "live_changed")
        assert error["live"] == "v3"
    act(server, "DELETE", "models/C/pin?expect=v1").error(409, "live_changed")
    assert live(server, "C") == "v3"
    for right in ("v3", repo.head, repo.head[:7]):
        assert act(server, "PUT", "models/C/pin", {"version": "v3", "expect": right}).status == 200
    assert act(server, "DELETE", "models/C/pin", {"expect": "v3"}).status == 200


def test_an_unfinished_action_is_told_where_to_ask_and_can_be_followed(server: Server) -> None:
    begun = act(server, "PUT", "models/C/pin?wait=0", {"version": "v2"})
    assert (begun.status, begun.json["state"]) == (202, "running")
    address = begun.headers["location"]
    assert address == f"/models_serve/-/api/actions/{begun.json['id']}"
    told = server.admin("GET", f"/-/api/actions/{begun.json['id']}/stream")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert told.headers["x-accel-buffering"] == "no"
    lines = told.body.decode().splitlines()
    states = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert states[-1]["state"] == "done"
    assert steps(states[-1]) >= {"start", "prove", "swap"}
    assert server.admin("GET", f"/-/api/actions/{begun.json['id']}").json == states[-1]
    assert act(server, "DELETE", "models/C/pin").status == 200


def test_a_later_action_takes_the_place_of_one_that_is_not_done(server: Server) -> None:
    begun = act(server, "PUT", "models/C/pin?wait=0", {"version": "v1"})
    assert act(server, "PUT", "models/C/pin", {"version": "v3"}).status == 200
    over = server.admin("GET", f"/-/api/actions/{begun.json['id']}/stream").body.decode()
    assert '"state":"superseded"' in over
    assert live(server, "C") == "v3"
    assert next(event["version"] for event in server.events("live") if event["model"] == "C") != "v1"
    assert act(server, "DELETE", "models/C/pin").status == 200


def test_a_version_is_loaded_and_unloaded_on_demand(server: Server) -> None:
    before = server.workers()
    loaded = act(server, "POST", "models/C/versions/v1/load", {"reason": "to compare"})
    assert (loaded.status, len(server.workers())) == (200, len(before) + 1)
    assert server.post("/C/v1").json["by"] == "one"
    assert kinds(server, loaded.json["id"]) == ["loaded"]
    unloaded = act(server, "POST", "models/C/versions/v1/unload")
    assert (unloaded.status, kinds(server, unloaded.json["id"])) == (200, ["unloaded"])
    assert server.workers() == before
    assert act(server, "POST", "models/C/versions/v1/unload").status == 200
    assert act(server, "POST", "models/C/versions/v3/load").status == 200
    assert server.workers() == before, "what is live needs no process more"
    act(server, "POST", "models/C/versions/v3/unload").error(409, "is_live")
    error = act(server, "POST", "models/D/versions/v2/load").error(422, "release_failed")
    assert kinds(server, error["action"]) == ["loaded", "unloaded"]


def test_a_load_of_more_versions_than_may_run_is_refused_and_leaves_no_event(server: Server) -> None:
    loaded = [(model, name) for model in ("A", "C") for name in ("v1", "v2")]
    for model, name in loaded:
        assert act(server, "POST", f"models/{model}/versions/{name}/load").status == 200
    before = server.events()[0]
    act(server, "POST", "models/B/versions/v1/load").error(503, "too_many_versions")
    assert server.events()[0] == before
    assert act(server, "POST", "models/A/versions/v1/load").status == 200, "it runs already"
    assert act(server, "POST", "models/B/versions/v3/load").status == 200, "it is live"
    for model, name in loaded:
        assert act(server, "POST", f"models/{model}/versions/{name}/unload").status == 200


def test_a_version_that_is_loaded_goes_live_in_the_process_that_runs_it(server: Server) -> None:
    before = set(server.workers())
    assert act(server, "POST", "models/C/versions/v1/load").status == 200
    [loaded] = set(server.workers()) - before
    pinned = act(server, "PUT", "models/C/pin", {"version": "v1"})
    assert (pinned.status, pinned.json["steps"].keys() & {"environment", "start"}) == (200, set())
    assert (live(server, "C"), server.post("/C/v1").json["by"]) == ("v1", "one")
    server.wait(lambda: len(server.workers()) == len(before), "what was live to be gone")
    assert loaded in server.workers()
    assert version(server, "C", "v1")["role"] == "live"
    os.kill(loaded, signal.SIGKILL)  # a worker like any other that is live
    server.wait(lambda: any(event["model"] == "C" for event in server.events("worker_replaced")), "the event of it")
    server.wait(lambda: server.post("/C").status == 200, "its successor")
    assert act(server, "DELETE", "models/C/pin").status == 200
    assert (live(server, "C"), server.post("/C/v1").json["by"]) == ("v3", "one")
    assert act(server, "POST", "models/C/versions/v1/unload").status == 200
    server.wait(lambda: len(server.workers()) == len(before), "no process more than before")


def version(server: Server, model: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.admin("GET", f"/-/api/models/{model}/versions/{name}").json
    return found


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["Nobody/actions/pin", "A/actions/dance"])
def test_a_page_of_an_act_that_there_is_not_is_not_found(server: Server, method: str, path: str) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-www-form-urlencoded"}
    page = server.request(method, f"{server.base}/-/models/{path}", content=b"reason=why&version=v1", headers=headers)
    assert page.status == 404


def test_another_try_is_told_with_who_asked_for_it(server: Server) -> None:
    tried = act(server, "POST", "models/A/retry", {"reason": "why not"})
    assert (tried.status, tried.json["state"]) == (200, "done")
    assert server.events("retried")[0]["reason"] == "why not"


def test_what_is_over_by_the_time_of_the_answer_is_not_told_as_unfinished(server: Server) -> None:
    tried = act(server, "POST", "models/A/retry?wait=0")
    assert (tried.status, tried.json["state"]) in ((200, "done"), (202, "running"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "models/Nobody/pin", {"version": "v1"}, 404, "model_not_found"),
        ("DELETE", "models/Nobody/pin", None, 404, "model_not_found"),
        ("POST", "models/Nobody/rollback", None, 404, "model_not_found"),
        ("POST", "models/Nobody/versions/v1/load", None, 404, "model_not_found"),
        ("PUT", "models/A/pin", {"version": "v9"}, 404, "version_not_found"),
        ("PUT", "models/A/pin", {"version": "run-0123456789ab"}, 404, "version_not_found"),
        ("PUT", "models/A/pin", {"version": "run-../../x"}, 404, "version_not_found"),
        ("PUT", "models/A/pin", {}, 422, "invalid_parameter"),
        ("PUT", "models/A/pin", {"version": 3}, 422, "invalid_parameter"),
        ("PUT", "models/A/pin", {"version": "v1", "why": ""}, 422, "invalid_parameter"),
        ("PUT", "models/A/pin?wait=x", {"version": "v1"}, 422, "invalid_parameter"),
        ("PUT", "models/A/pin", {"version": "v1", "expect": ""}, 422, "invalid_parameter"),
        ("PUT", "models/A/pin?expect=", {"version": "v1"}, 422, "invalid_parameter"),
        ("DELETE", "models/A/pin?expect=", None, 422, "invalid_parameter"),
        ("POST", "models/A/rollback", {"to": ""}, 404, "version_not_found"),
        ("POST", "models/A/versions/v9/accept", None, 404, "version_not_found"),
        ("POST", "models/A/versions/v9/load", None, 404, "version_not_found"),
        ("POST", "models/A/versions/v9/unload", None, 404, "version_not_found"),
        ("POST", "models/A/pin", {"version": "v1"}, 405, "method_not_allowed"),
        ("GET", "models/A/rollback", None, 405, "method_not_allowed"),
        ("GET", "actions/none", None, 404, "action_not_found"),
        ("GET", "actions/none/stream", None, 404, "action_not_found"),
    ],
)
def test_what_cannot_be_done_is_refused(
    server: Server, method: str, path: str, body: Any, status: int, code: str
) -> None:
    act(server, method, path, body).error(status, code)
    assert live(server, "A") == "v3"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "models/A/pin", "DELETE, PUT"),
        ("PATCH", "models/A", "DELETE, GET, HEAD, PUT"),
        ("DELETE", "keys", "GET, HEAD, POST"),
        ("GET", "models/A/rollback", "POST"),
    ],
)
def test_a_refused_method_is_told_all_that_the_path_takes(server: Server, method: str, path: str, allowed: str) -> None:
    assert act(server, method, path).headers["allow"] == allowed


def test_each_action_takes_a_credential(server: Server) -> None:
    for method, path in (
        ("PUT", "models/A/pin"),
        ("DELETE", "models/A/pin"),
        *(("POST", f"models/A/{what}") for what in ("rollback", "retry", "versions/v1/accept", "versions/v1/load")),
        ("GET", "actions/none"),
    ):
        answer = server.request(method, f"{server.base}/-/api/{path}")
        assert answer.status == 401, path


def test_of_a_reason_as_much_is_kept_as_somebody_reads(server: Server) -> None:
    assert act(server, "PUT", "models/B/pin", {"version": "v1", "reason": "x" * 2000}).status == 200
    assert len(server.events("pinned")[0]["reason"]) == 1000
    entry = server.wait(
        lambda: next((one for one in deployments(server, "B") if one.cause == "pin"), None), "the entry"
    )
    assert len(entry.reason) == 1000
    assert act(server, "DELETE", f"models/B/pin?reason={'y' * 2000}").json["reason"] == "y" * 1000
