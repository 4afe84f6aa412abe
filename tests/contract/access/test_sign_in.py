"""A first start's code, sessions, and what other sites can't do in their name."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from tests.contract.access.keys import bearer, make_key, revoke_key
from tests.repos import Repo
from tests.serving import TOKEN, Answer, Server, echo, serving

PAGE = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
PAGES = ("/-/", "/-/keys", "/-/events", "/-/models/Echo")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    repo = Repo(tmp_path_factory.mktemp("sign_in") / "models")
    repo.write("Echo/etls.py", echo("one")).commit()
    return repo


@pytest.fixture(scope="module")
def server(repo: Repo) -> Iterator[Server]:
    with serving(repo.path.parent / "data", repo.path, CORS_ORIGINS="*") as server:
        yield server


def ask(server: Server, method: str, path: str, headers: Mapping[str, str] = {}, **options: object) -> Answer:
    """With no cookies but those in `headers`."""
    server.http.cookies.clear()
    return server.request(method, server.base + path, headers=headers, **options)


def cookie_of(answer: Answer) -> str:
    found = SimpleCookie(answer.headers["set-cookie"])["pawl_session"]
    return f"pawl_session={found.value}"


def signed_in(server: Server, key: str = TOKEN) -> dict[str, str]:
    """The headers of a browser that has."""
    answer = ask(server, "POST", "/-/api/session", json={"key": key})
    assert answer.status == 200, answer.body
    return {"cookie": cookie_of(answer), "sec-fetch-site": "same-origin"}


def test_a_first_start_prints_an_address_that_signs_in_once(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path, ADMIN_TOKEN="") as server:
        found = re.search(r"(http://\S+)/-/signin\?code=(\S+)", server.log)
        assert found is not None, server.log
        assert found[1] == server.base
        path = f"/-/signin?code={found[2]}"
        for _ in range(2):  # to look uses nothing up
            page = ask(server, "GET", path, PAGE)
            text = page.body.decode()
            assert (page.status, page.headers["cache-control"]) == (200, "no-store")
            assert "set-cookie" not in page.headers
        form = re.search(r'<form [^>]*method="post" action="([^"]*/api/session)">(.*?)</form>', text, re.DOTALL)
        assert form is not None, text
        fields = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[2])}
        answer = server.request("POST", server.url + form[1], data=fields, headers={"origin": server.url})
        assert (answer.status, answer.headers["location"]) == (303, "../")
        session = {"cookie": cookie_of(answer)}
        assert ask(server, "GET", "/-/keys", {**PAGE, **session}).status == 200
        ask(server, "POST", "/-/api/session", json={"code": found[2]}).error(401, "key_required")
        assert "good no longer" in ask(server, "GET", path, PAGE).body.decode()

        token = (tmp_path / "data" / "ADMIN_TOKEN").read_text().strip()
        assert (tmp_path / "data" / "ADMIN_TOKEN").stat().st_mode & 0o777 == 0o600
        assert token not in server.log
        assert ask(server, "GET", "/-/api/keys", bearer(token)).status == 200
    with serving(tmp_path / "data", repo.path, ADMIN_TOKEN="") as server:
        assert "signin?code=" not in server.log, "the second start has nothing to hand over"
        assert ask(server, "GET", "/-/api/keys", bearer(token)).status == 200
        assert ask(server, "GET", "/-/keys", {**PAGE, **session}).status == 200, "a session outlasts a restart"


@pytest.mark.parametrize(
    ("headers", "path", "secure"),
    [
        ({}, "/models_serve/-/", False),
        ({"x-forwarded-proto": "https"}, "/models_serve/-/", True),
        ({"x-forwarded-prefix": "/ml/"}, "/ml/models_serve/-/", False),
        ({"x-forwarded-prefix": "/a; Domain=evil"}, "/models_serve/-/", False),
    ],
)
def test_the_cookie_goes_to_the_admin_path_alone(
    server: Server, headers: dict[str, str], path: str, secure: bool
) -> None:
    answer = ask(server, "POST", "/-/api/session", headers, json={"key": TOKEN})
    cookie = SimpleCookie(answer.headers["set-cookie"])["pawl_session"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"].lower()) == (path, True, "lax")
    assert (cookie["max-age"], bool(cookie["secure"]), cookie["domain"]) == ("43200", secure, "")
    assert answer.json["name"] == "ADMIN_TOKEN"


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_without_a_session_is_led_to_the_sign_in_and_comes_back(server: Server, path: str) -> None:
    answer = ask(server, "GET", f"{path}?a=b", PAGE)
    assert answer.status == 303
    page = ask(server, "GET", f"{path}?a=b", PAGE, follow_redirects=True)
    fields = dict(
        re.findall(r'name="(next)" value="([^"]*)"', page.body.decode().split('action="/models_serve/-/api')[1])
    )
    origin = {"origin": server.url}
    back = ask(server, "POST", "/-/api/session", origin, data={"key": TOKEN, **fields})
    assert back.status == 303
    to = server.http.build_request("GET", f"{server.base}/-/api/session").url.join(back.headers["location"])
    assert str(to) == f"{server.base}{path}?a=b"
    assert server.request("GET", str(to), headers={**PAGE, "cookie": cookie_of(back)}).status == 200


def test_programs_and_the_api_are_told_and_not_led(server: Server) -> None:
    ask(server, "GET", "/-/", {"accept": "*/*"}).error(401, "key_required")
    ask(server, "GET", "/-/api/models", PAGE).error(401, "key_required")


@pytest.mark.parametrize("path", PAGES)
def test_a_key_of_scope_view_opens_pages(server: Server, path: str) -> None:
    key = make_key(server, scopes=["view"])["key"]
    assert ask(server, "GET", path, {**PAGE, **bearer(key)}).status == (403 if path == "/-/keys" else 200)


def test_a_session_may_what_its_key_may_and_ends_with_it(server: Server) -> None:
    made = make_key(server, name="ada", scopes=["operate"])
    session = signed_in(server, made["key"])
    assert ask(server, "GET", "/-/api/models", session).status == 200
    assert ask(server, "POST", "/-/api/models/Echo/retry", session).status in (200, 202)
    ask(server, "GET", "/-/api/keys", session).error(403, "key_forbidden")
    revoke_key(server, made["id"])
    ask(server, "GET", "/-/api/models", session).error(401, "key_required")


def test_who_signs_out_is_out_whoever_kept_the_cookie(server: Server) -> None:
    for method, path, status in (("DELETE", "/-/api/session", 200), ("POST", "/-/signout", 303)):
        session = signed_in(server)
        answer = ask(server, method, path, session)
        assert answer.status == status
        assert SimpleCookie(answer.headers["set-cookie"])["pawl_session"]["max-age"] == "0"
        ask(server, "GET", "/-/api/models", session).error(401, "key_required")


def test_a_key_that_only_predicts_shows_nothing(server: Server) -> None:
    key = make_key(server, scopes=["predict"])["key"]
    ask(server, "POST", "/-/api/session", json={"key": key}).error(403, "key_forbidden")


def test_signing_in_and_failing_to_are_events(server: Server) -> None:
    make = make_key(server, name="lin", scopes=["view"])
    signed_in(server, make["key"])
    proxied = {"x-forwarded-for": "203.0.113.7"}
    ask(server, "POST", "/-/api/session", proxied, json={"key": make["key"][:-1]}).error(401, "key_required")
    assert server.events("signed_in")[0]["actor"] == {"kind": "session", "name": "lin", "address": "127.0.0.1"}
    assert server.events("sign_in_failed")[0]["actor"]["address"] == "203.0.113.7, 127.0.0.1"
    assert make["key"][:-1] not in str(server.events()) + server.log


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {},
    ],
)
def test_a_page_of_another_site_changes_nothing_in_the_name_of_a_session(
    server: Server, headers: dict[str, str]
) -> None:
    session = {"cookie": signed_in(server)["cookie"]}
    before = len(server.admin("GET", "/-/api/keys?limit=1000").json["items"])
    sent = {**session, **headers}
    form = {"name": "x", "scope": "admin"}
    for answer in (
        ask(server, "POST", "/-/api/models/Echo/retry", sent),
        ask(server, "POST", "/-/api/keys", sent, json={"name": "x", "scopes": ["admin"]}),
        ask(server, "POST", "/-/keys", sent, data=form),
        ask(server, "POST", "/-/signout", sent),
        ask(server, "DELETE", "/-/api/session", sent),
        *([ask(server, "POST", "/-/api/session", sent, data={"key": TOKEN})] if headers else []),
    ):
        answer.error(403, "cross_site")
    assert len(server.admin("GET", "/-/api/keys?limit=1000").json["items"]) == before
    assert ask(server, "GET", "/-/api/models", sent).status == 200, "to read is safe: the other site can't see it"


def test_a_key_is_no_cookie_and_needs_no_origin(server: Server) -> None:
    assert ask(server, "POST", "/-/api/models/Echo/retry", bearer(TOKEN)).status in (200, 202)
    sent = {**bearer(TOKEN), "sec-fetch-site": "cross-site"}
    ask(server, "POST", "/-/api/models/Echo/retry", sent).error(403, "cross_site")


@pytest.mark.parametrize("path", ["/-/api/models", "/-/api/session", "/-/", "/-/signin"])
def test_cors_never_applies_to_what_is_an_operators(server: Server, path: str) -> None:
    asks = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    for method, headers in (("OPTIONS", asks), ("GET", {"origin": "https://shop.example", **bearer(TOKEN)})):
        answer = ask(server, method, path, headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/-/signin", *PAGES, "/-/api/models", "/-/api/nothing", "/-/nothing"])
def test_nothing_that_a_page_has_in_it_is_run_and_nobody_frames_it(server: Server, path: str) -> None:
    headers = ask(server, "GET", path, {**PAGE, **bearer(TOKEN)}).headers
    policy = headers["content-security-policy"]
    assert "unsafe-" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")


def test_keys_are_made_and_revoked_by_forms_alone(server: Server) -> None:
    session = {**PAGE, **signed_in(server)}
    form = {"name": '<b>"x"', "scope": "predict", "models": "Echo, Other", "rate": "5", "expires": "30"}
    page = ask(server, "POST", "/-/keys", session, data=form).body.decode()
    found = re.search(r"pawl_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}", page)
    assert found is not None
    assert form["name"] not in page
    listed = ask(server, "GET", "/-/keys", session).body.decode()
    assert found[1] in listed
    assert found[0] not in listed
    answer = ask(server, "POST", f"/-/keys/{found[1]}/revoke", session)
    assert (answer.status, answer.headers["location"]) == (303, "/models_serve/-/keys")
    assert found[1] not in ask(server, "GET", "/-/keys", session).body.decode()
    refused = ask(server, "POST", "/-/keys", session, data={**form, "rate": "fast"})
    assert (refused.status, "rate takes" in refused.body.decode()) == (422, True)


def test_attempts_are_bounded_and_who_has_a_key_is_not_locked_out(tmp_path: Path, repo: Repo) -> None:
    with serving(tmp_path / "data", repo.path) as server:
        answers: list[Answer] = []
        while not answers or answers[-1].status != 429:  # another attempt is granted every few seconds
            answers.append(ask(server, "POST", "/-/api/session", json={"key": f"wrong {len(answers)}"}))
        *failed, refused = answers
        assert len(failed) >= 10
        assert {answer.code for answer in failed} == {"key_required"}
        refused.error(429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert len(server.events("sign_in_failed")) == len(failed)
        assert ask(server, "POST", "/-/api/session", json={"key": TOKEN}).status == 200
        form = ask(server, "POST", "/-/api/session", {"origin": server.url}, data={"key": "wrong", "next": "keys"})
        assert (form.status, form.headers["location"]) == (303, "../signin?refused=wait&next=keys")


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"key": 1}', b'{"wings": ""}', b"\xff"])
def test_what_is_no_credential_is_refused(server: Server, body: bytes) -> None:
    answer = ask(server, "POST", "/-/api/session", {"content-type": "application/json"}, content=body)
    assert answer.status in (400, 422)


def test_a_form_of_many_fields_is_a_form(server: Server) -> None:
    fields = {"key": "wrong", **{f"field{number}": "" for number in range(200)}}
    answer = ask(server, "POST", "/-/api/session", {"origin": server.url}, data=fields)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "../signin")
