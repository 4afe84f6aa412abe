"""The versions of models over HTTP: a real server of a real history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.repos import Repo
from tests.serving import TOKEN, Server, echo, serving

FIELDS = {
    *("version", "commit", "run", "release", "author", "message", "at", "size_bytes", "environment", "examples"),
    *("scores", "state", "role", "rejected", "failure", "description", "metadata"),
}
EXAMPLES = json.dumps([{"variables": {"say": "a"}}, {"variables": {"say": "b"}}])
PRINTS = echo("one") + "\n    def __init__(self):\n        print('loaded')\n"


class History:
    """What was pushed of `A`, in order: v1, v2, a revert to v1, one that fails, and the one that is live."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        repo.write("A/etls.py", PRINTS).write("A/examples.json", EXAMPLES)
        repo.write("B/etls.py", echo("b"))
        repo.write("A/model.yaml", "description: The first\nmetadata: {a: 1}\n")
        self.first = repo.commit("Add A\n\nwith a reason")
        self.second = repo.commit_file("A/etls.py", echo("two"), "Say two")
        repo.commit_file("README.md", "nothing of A")
        self.third = repo.revert(self.second)
        self.fourth = repo.commit_file("A/etls.py", "raise ValueError('no')\n", "Break it")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(Repo(tmp_path_factory.mktemp("versions") / "models"))


@pytest.fixture(scope="module")
def server(history: History) -> Iterator[Server]:
    with serving(history.repo.path.parent / "data", history.repo.path) as server:
        server.wait_failed("A", "v4")
        history.repo.commit_file("A/etls.py", echo("five"), "Say five")
        server.sync()
        yield server


def got(server: Server, path: str) -> Any:
    answer = server.admin("GET", f"/-/api/{path}")
    assert answer.status == 200, answer.body
    return answer.json


def versions(server: Server, query: str = "") -> list[Any]:
    return list(got(server, f"models/A/versions{query}")["items"])


def test_each_release_is_listed_once_by_its_newest_version(server: Server, history: History) -> None:
    found = versions(server)
    assert [item["version"] for item in found] == ["v5", "v4", "v3", "v2"]
    assert {item["release"] for item in found[:1]} == {server.state("A")["live"]["release"]}
    assert len({item["release"] for item in found}) == 4
    assert [item["commit"] for item in found[1:]] == [history.fourth, history.third, history.second]
    assert set(found[0]) >= FIELDS


def test_a_version_tells_what_its_commit_says(server: Server, history: History) -> None:
    first = got(server, "models/A/versions/v1")
    assert (first["version"], first["commit"]) == ("v1", history.first)
    assert (first["author"], first["message"]) == ("Ada", "Add A\n\nwith a reason")
    assert first["at"].startswith("2023-11-14T22:1")
    assert (first["description"], first["metadata"]) == ("The first", {"a": 1})
    assert first["size_bytes"] == sum(
        len(text) for text in (PRINTS, EXAMPLES, "description: The first\nmetadata: {a: 1}\n")
    )
    assert (first["run"], first["scores"], first["rejected"]) == (None, {}, None)


def test_a_live_version_tells_what_it_runs_in_and_how_it_was_proven(server: Server) -> None:
    live = versions(server)[0]
    assert (live["state"], live["role"], live["failure"], live["step"]) == ("ready", "live", None, None)
    assert live["examples"] == {"passed": 2, "failed": 0}
    assert live["environment"]["id"] is None
    assert live["environment"]["packages"]["msgspec"]
    assert list(live["steps"]) == ["fetch", "check_out", "environment", "start", "prove", "swap"]


def test_one_that_failed_says_so_and_the_others_are_retired(server: Server) -> None:
    _, failed, *older = versions(server)
    assert (failed["state"], failed["role"]) == ("failed", None)
    assert failed["failure"]["stage"] == "load"
    assert "ValueError: no" in failed["failure"]["message"]
    assert "Traceback" in failed["failure"]["detail"]
    assert [(item["state"], item["environment"]) for item in older] == [("retired", None)] * 2


def test_pages_hold_every_version_once(server: Server) -> None:
    whole, found, cursor = versions(server), [], ""
    while True:
        page = got(server, f"models/A/versions?limit=1{cursor}")
        assert len(page["items"]) == 1
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == whole


def test_a_version_is_found_by_its_number_and_its_commit(server: Server, history: History) -> None:
    for name in ("v2", history.second[:7], history.second):
        assert got(server, f"models/A/versions/{name}")["commit"] == history.second
    for odd in ("v99", "v0", "2", "abc", "HEAD", "main", "-rf", "%2e%2e", "v1%00", "run-nothing", "v1;ls", "🙂"):
        server.admin("GET", f"/-/api/models/A/versions/{odd}").error(404, "version_not_found")
    for odd in ("Nobody", "%2e%2e", "A%00", "a" * 300):
        for path in ("versions", "versions/v1", "versions/v1/diff", "deployments", "logs"):
            server.admin("GET", f"/-/api/models/{odd}/{path}").error(404, "model_not_found")


@pytest.mark.parametrize("odd", ["x", "0-" + "a" * 40, "1-" + "g" * 40, "5-abc", "v5", "1-../../x", "%00", "9" * 5000])
def test_an_odd_cursor_is_refused(server: Server, odd: str) -> None:
    error = server.admin("GET", f"/-/api/models/A/versions?cursor={odd}").error(422, "invalid_parameter")
    assert error["field"] == "cursor"
    assert len(error["message"]) < 300


def test_a_cursor_of_a_commit_that_is_gone_goes_on_by_its_number(server: Server) -> None:
    found = got(server, f"models/A/versions?cursor=4-{'a' * 40}")
    assert [item["version"] for item in found["items"]] == ["v3", "v2"]


def test_a_diff_is_git_s_and_the_answers_when_each_was_proven(server: Server, history: History) -> None:
    server.score("A/v2", say="x")
    found = got(server, "models/A/versions/v5/diff?from=v2")
    assert (found["from"]["version"], found["to"]["version"]) == ("v2", "v5")
    assert "+++ b/A/etls.py" in found["diff"]
    assert '-        return {"said": variables.get("say"), "by": "two"}' in found["diff"]
    assert found["truncated"] is False
    assert found["packages"] == {"added": {}, "removed": {}, "changed": {}}
    assert found["answers"][0] == {
        "variables": {"say": "a"},
        "from": {"said": "a", "by": "two"},
        "to": {"said": "a", "by": "five"},
        "same": False,
    }
    assert versions(server)[3]["role"] == "on_demand"


def test_a_diff_is_with_the_live_version_or_of_that_with_the_one_before(server: Server) -> None:
    assert got(server, "models/A/versions/v2/diff")["from"]["version"] == "v5"
    assert got(server, "models/A/versions/v5/diff")["from"]["version"] == "v4"
    server.admin("GET", "/-/api/models/B/versions/v1/diff").error(404, "version_not_found")


def test_what_was_printed_is_told_newest_first(server: Server) -> None:
    server.score("A/v1", say="x")
    lines = got(server, "models/A/logs?version=v1")["items"]
    assert [line["line"] for line in lines] == ["loaded"]
    text = server.request(
        "GET",
        f"{server.base}/-/api/models/A/logs?version=v3",
        headers={"authorization": f"Bearer {TOKEN}", "accept": "text/plain"},
    )
    assert text.body == b"loaded\n"
    assert got(server, "models/B/logs") == {"items": [], "next": None}


def streamed(server: Server, path: str, until: str, headers: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a stream says until that is in it."""
    found = ""
    said = {"authorization": f"Bearer {TOKEN}", "accept-encoding": "gzip", **headers}
    with httpx.stream("GET", f"{server.base}/-/api/{path}", headers=said, timeout=100) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in answer.headers
        for piece in answer.iter_text():
            found += piece
            if until in found:
                return found
    raise AssertionError(found)


def test_what_is_printed_can_be_followed(server: Server) -> None:
    server.score("A/v1", say="x")
    assert "event: line\n" in streamed(server, "models/A/logs?version=v1&follow=1", '"line":"loaded"')


def test_events_are_streamed_from_the_last_that_was_seen(server: Server) -> None:
    last, *_ = got(server, "events?model=A&kind=failed")["items"]
    found = streamed(server, "events/stream?model=A", '"version":"v5"', {"last-event-id": last["id"]})
    assert found.startswith("retry: ")
    assert "event: live\n" in found
    assert "id: " in found
    assert '"kind":"failed"' not in found


def test_events_say_who_did_them_and_are_chosen_by_it(server: Server) -> None:
    found = got(server, "events?actor=git&model=B")["items"]
    assert [(event["kind"], event["actor"]) for event in found] == [
        ("live", {"kind": "git", "name": "", "address": ""})
    ]
    assert {"reason", "action", "version", "commit", "message", "at", "id"} <= set(found[0])
    assert got(server, "events?actor=nobody")["items"] == []


def test_models_are_chosen_by_words_and_by_state(server: Server) -> None:
    def names(query: str) -> list[str]:
        return [item["name"] for item in got(server, f"models?{query}")["items"]]

    assert names("q=the+FIRST") == ["A"]
    assert names("q=b") == ["B"]
    assert names("state=ready") == ["A", "B"] == names("state=live")
    assert names("state=failed") == []
    assert server.admin("GET", "/-/api/models?state=odd").error(422, "invalid_parameter")["field"] == "state"


def test_the_ledger_tells_what_was_live_and_when(server: Server) -> None:
    def ledger(query: str = "") -> list[Any]:
        return list(got(server, f"models/A/deployments{query}")["items"])

    server.wait(ledger, "the ledger of what was live")
    newest, *_ = ledger()
    assert (newest["version"], newest["to"], newest["cause"]) == ("v5", None, "push")
    assert newest["release"] == server.state("A")["live"]["release"]
    assert ledger(f"?at={quote(newest['from'])}") == [newest]
    assert ledger(f"?at={quote('2001-01-01T00:00:00Z')}") == []
    for odd in ("at=yesterday", "limit=0", "cursor=x", "cursor=-1", "at=0001-01-01T00:00:00%2B23:59"):
        server.admin("GET", f"/-/api/models/A/deployments?{odd}").error(422, "invalid_parameter")


def test_more_streams_than_may_be_are_refused_and_none_holds_up_the_end(history: History, tmp_path: Path) -> None:
    with serving(tmp_path / "data", history.repo.path, STOP_TIMEOUT_S="300") as server, ExitStack() as open_streams:
        said = {"authorization": f"Bearer {TOKEN}"}
        for _ in range(32):
            stream = httpx.stream("GET", f"{server.base}/-/api/events/stream", headers=said, timeout=100)
            assert open_streams.enter_context(stream).status_code == 200
        refused = server.admin("GET", "/-/api/models/A/logs?follow=1").error(503, "too_many_streams")
        assert "32" in refused["message"]
        assert server.stop() == 0  # long before the time that requests in flight are given
