"""What a browser sees of an address or a form that a page can't take: a page, with the error's status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from tests.repos import Repo
from tests.serving import TOKEN, Answer, Server, echo, serving

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "authorization": f"Bearer {TOKEN}"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
WRONG = [
    ("/-/events", "since"),
    ("/-/events", "kind"),
    ("/-/events", "cursor"),
    ("/-/monitoring", "from"),
    ("/-/monitoring", "to"),
    ("/-/monitoring", "stage"),
    ("/-/monitoring", "range"),
    ("/-/", "state"),
    ("/-/models/Echo/versions", "cursor"),
    ("/-/models/Echo/runs", "cursor"),
    ("/-/models/Echo/deployments", "at"),
    ("/-/models/Echo/deployments", "cursor"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("refusals")
    repo = Repo(home / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    with serving(home / "data", repo.path) as server:
        yield server


def page(answer: Answer, status: int) -> str:
    assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer
    assert "content-security-policy" in answer.headers
    return unescape(re.sub(r"\s+", " ", answer.body.decode()))


@pytest.mark.parametrize(("path", "name"), WRONG)
def test_a_wrong_filter_is_named_and_can_be_cleared(server: Server, path: str, name: str) -> None:
    text = page(server.get(f"{path}?model=Echo&{name}=garbage", BROWSER), 422)
    assert f"{name} is 'garbage'; it takes" in text
    assert f'href="?model=Echo">Clear {name}<' in text
    assert 'href="?">Clear all<' in text


def test_whoever_asks_for_a_page_is_answered_with_one(server: Server) -> None:
    page(server.get("/-/events?since=garbage", {"authorization": f"Bearer {TOKEN}"}), 422)
    assert server.admin("GET", "/-/api/events?since=garbage").error(422, "invalid_parameter")["field"] == "since"


def test_a_time_that_begins_after_its_end_is_refused(server: Server) -> None:
    text = page(server.get("/-/monitoring?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", BROWSER), 422)
    assert "it takes a time before that of `to`" in text


def test_what_a_wrong_filter_holds_is_shown_as_text(server: Server) -> None:
    raw = server.get("/-/events?since=%3Cscript%3Ealert(1)%3C/script%3E", BROWSER).body
    assert b"<script>alert" not in raw


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_action_is_said_to_be_unknown(server: Server, method: str) -> None:
    answer = server.request(method, f"{server.base}/-/models/Echo/actions/foo", headers=BROWSER)
    text = page(answer, 404)
    assert "there is no action 'foo'; there are rollback, pin" in text
    assert "No model" not in text


@pytest.mark.parametrize("path", ["/-/foo", "/-/models/Echo/foo", "/-/models/No%2Fpe"])
def test_a_path_with_nothing_at_it_is_answered_with_a_page(server: Server, path: str) -> None:
    assert "nothing is at this path" in page(server.get(path, BROWSER), 404)
    server.admin("GET", path).error(404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", "/-/look"), ("POST", "/-/events"), ("DELETE", "/-/keys")])
def test_a_wrong_method_is_answered_with_a_page(server: Server, method: str, path: str) -> None:
    answer = server.request(method, server.base + path, headers=BROWSER)
    assert "this path takes another method" in page(answer, 405)
    assert answer.headers["allow"]
    server.admin(method, path).error(405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [f"/-/models/Echo/{name}" for name in ("actions/pin", "retry", "try", "edit", "delete", "runs/x")]
    + ["/-/keys", "/-/theme"],
)
def test_a_body_that_is_no_form_is_refused(server: Server, path: str) -> None:
    answer = server.post(path, {"reason": "a test"}, headers=BROWSER)
    assert "the body is announced as 'application/json'; this takes a form" in page(answer, 415)


def test_a_key_that_may_not_act_is_told_so_on_a_page(server: Server) -> None:
    made = server.request(
        "POST", f"{server.base}/-/api/keys", headers=BROWSER, json={"name": "viewer", "scopes": ["view"]}
    ).json
    viewer = {**BROWSER, **FORM, "authorization": f"Bearer {made['key']}"}
    answer = server.request("POST", f"{server.base}/-/models/Echo/actions/pin", headers=viewer, content=b"")
    assert "this takes a key of scope operate" in page(answer, 403)


def test_a_key_for_a_model_that_is_not_there_is_made_and_told_of(server: Server) -> None:
    asked = {**BROWSER, **FORM}
    fields = b"name=shop&scope=predict&models=Nope,Echo"
    text = page(server.request("POST", f"{server.base}/-/keys", headers=asked, content=fields), 200)
    assert "No model is called Nope yet" in text
    assert "pawl_" in text


def test_a_form_from_another_site_is_refused_on_a_page(server: Server) -> None:
    headers = {**BROWSER, **FORM, "sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    del headers["authorization"]
    signed_in = server.request("POST", f"{server.base}/-/api/session", json={"key": TOKEN})
    cookie = signed_in.headers["set-cookie"].partition(";")[0]
    answer = server.request(
        "POST", f"{server.base}/-/models/Echo/retry", headers={**headers, "cookie": cookie}, content=b"reason=x"
    )
    assert "a page of another site seems to have sent this" in page(answer, 403)
