"""The lists of the admin API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.repos import Repo
from tests.serving import Server, echo, serving

RAISES = "class A:\n    def transform_predict(self, variables):\n        raise ValueError('no')\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    repo = Repo(tmp_path_factory.mktemp("events") / "models")
    for name in ("A", "B", "C"):
        repo.write(f"{name}/etls.py", echo("one"))
    repo.write("Raises/etls.py", RAISES).commit()
    with serving(repo.path.parent / "data", repo.path) as server:
        server.post("/Raises")
        server.wait(lambda: server.events("request_failed"), "the failed request")
        yield server


def listed(server: Server, path: str) -> Any:
    answer = server.admin("GET", f"/-/api/{path}")
    assert answer.status == 200, answer.body
    assert {"items", "next"} <= set(answer.json)
    return answer.json


def messages(found: Any) -> list[str]:
    return [f"{item['model']} {item['kind']}" for item in found["items"]]


def test_a_model_tells_the_newest_events_of_each_kind(server: Server) -> None:
    assert {event["kind"] for event in server.state("Raises")["events"]} == {"live", "request_failed"}
    assert [event["kind"] for event in server.state("A")["events"]] == ["live"]


def test_what_a_push_brought_has_the_actor_git_and_what_comes_by_itself_pawl(server: Server) -> None:
    assert [event["actor"]["kind"] for event in server.events("live")] == ["git"] * 4
    assert messages(listed(server, "events?actor=git&model=A")) == ["A live"]
    assert messages(listed(server, "events?actor=pawl")) == ["Raises request_failed"]


def test_pages_hold_every_event_once_newest_first(server: Server) -> None:
    whole = listed(server, "events?kind=live")
    assert whole["next"] is None
    times = [item["at"] for item in whole["items"]]
    assert len(times) == 4
    assert times == sorted(times, reverse=True)
    found, cursor = [], ""
    while True:
        page = listed(server, f"events?kind=live&limit=3{cursor}")
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == whole["items"]
    assert len({item["id"] for item in found}) == 4


def test_events_are_chosen_by_model_kind_and_time(server: Server) -> None:
    assert messages(listed(server, "events?model=A")) == ["A live"]
    assert listed(server, "events?model=Nobody") == {"items": [], "next": None}
    assert set(messages(listed(server, "events?kind=live"))) == {"A live", "B live", "C live", "Raises live"}
    second = listed(server, "events?kind=live")["items"][1]["at"]
    for at in (second, quote(second), second.replace("Z", "+00:00")):  # an unescaped "+" is a blank in a query
        assert len(listed(server, f"events?kind=live&since={at}")["items"]) == 2
    assert listed(server, "events?since=2999-01-01T00:00:00Z")["items"] == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        *((f"limit={odd}", "limit") for odd in ("0", "-1", "x", "1001", "1.5", "٣", "9" * 5000)),
        *((f"since={odd}", "since") for odd in ("yesterday", "2026-06-21", "2026-06-21T12:00:00", "0")),
        *((f"kind={odd}", "kind") for odd in ("lives", "LIVE", "live,failed")),
        *((f"cursor={odd}", "cursor") for odd in ("x", "00000000000000-0000000", "%00")),
    ],
)
def test_what_can_not_be_read_is_refused_by_name(server: Server, query: str, names: str) -> None:
    error = server.admin("GET", f"/-/api/events?{query}").error(422, "invalid_parameter")
    assert error["field"] == names
    assert error["message"].startswith(f"{names} is ")
    assert len(error["message"]) < 400


def test_models_are_listed_by_name_in_pages(server: Server) -> None:
    assert list(server.models()) == ["A", "B", "C", "Raises"]
    first = listed(server, "models?limit=3")
    assert [model["name"] for model in first["items"]] == ["A", "B", "C"]
    assert (first["ready"], first["problem"]) == (True, None)
    rest = listed(server, f"models?limit=3&cursor={first['next']}")
    assert [model["name"] for model in rest["items"]] == ["Raises"]
    assert rest["next"] is None
    for odd in ("0", "x"):
        assert server.admin("GET", f"/-/api/models?limit={odd}").error(422, "invalid_parameter")["field"] == "limit"
